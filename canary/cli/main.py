"""The command `canary`: gathers the commands and turns every error into `error:` and `hint:`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from collections.abc import Callable
from copy import copy
from functools import cache
from typing import Annotated, Any

import typer
from typer.models import CommandInfo

from canary import __version__
from canary.cli import care, data, marks, people, seen, suppress, verdict, watch
from canary.cli.say import tell_error
from canary.errors import CanaryError

Command = Callable[..., Any]

# New objects, and rounds, before cycles are looked for: by itself Python does so all the time.
COLLECTED = (200_000, 20, 50)
QUICK = {  # what libraries do at their start that nothing here needs
    "OPENBLAS_THREAD_TIMEOUT": "4",  # numpy's threads spin no longer than 2^4 ticks before they sleep
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # no look at every package that is installed
}
INTERRUPTED = 130  # what shells say of a program ended by Ctrl-C

app = typer.Typer(
    name="canary",
    help="Plant canaries and name the recipient a leak came from.\n\nExample: canary demo",
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"canary {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", help="print the version", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Plant canaries and name the recipient a leak came from.

    Example: canary demo
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


for room in (care, people, data, marks, suppress, seen, watch, verdict):
    room.add_to(app)


@cache
def command(first: str = "") -> Command:
    """Build what a command line needs of the command tree: the command that it begins with, else all of them."""
    part = copy(app)
    part.registered_commands = [one for one in app.registered_commands if _name_of(one) == first]
    part.registered_groups = [one for one in app.registered_groups if one.name == first]
    known = part.registered_commands or part.registered_groups
    return typer.main.get_command(part if known else app)


def _name_of(command: CommandInfo) -> str:
    return command.name or command.callback.__name__.replace("_", "-") if command.callback else ""


def run(argv: list[str] | None = None) -> int:
    """Run one command line and give its exit status; errors are told, never raised."""
    gc.set_threshold(*COLLECTED)
    try:
        words = sys.argv[1:] if argv is None else argv
        result = command(words[0] if words else "")(args=words, prog_name="canary", standalone_mode=False)
        if result == INTERRUPTED:  # typer's answer to Ctrl-C
            return _interrupted()
        return result if isinstance(result, int) else 0
    except CanaryError as error:
        tell_error(error.message, error.hint)
        return error.exit_status
    except typer.TyperException as error:
        tell_error(_lower(_message(error)), _usage_hint(error))
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the reader has gone; nothing more may be written
        return 0
    except Exception as error:
        if os.environ.get("CANARY_DEBUG"):
            raise
        return _unforeseen(error)


def _interrupted() -> int:
    tell_error("interrupted", "nothing was left half-written; run the command again")
    return INTERRUPTED


def _lower(text: str) -> str:
    return (text[:1].lower() + text[1:]).rstrip(".")


def _message(error: typer.TyperException) -> str:
    if type(error).__name__ == "NoArgsIsHelpError":
        return "no command was given"
    told = getattr(error, "format_message", None)
    return told() if told else str(error)


def _usage_hint(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "canary"
    return f"see {command} --help"


def _unforeseen(error: Exception) -> int:
    """Tell an error nobody foresaw, by its kind alone: its text might hold a value that must not be shown."""
    if isinstance(error, OSError) and error.strerror:
        tell_error(
            f"{error.strerror.lower()}: {error.filename or 'a file or connection'}", "check it and try again"
        )
        return 3
    tell_error(
        f"an unforeseen {type(error).__name__}",
        "run again with CANARY_DEBUG=1 for the traceback and report it without personal data",
    )
    return 3


def entry() -> None:
    """Run the command line of this process, and end it at once: to free all that it holds takes a tenth of a scan."""
    for name, value in QUICK.items():
        os.environ.setdefault(name, value)
    status = run()
    if threading.active_count() > 1:
        sys.exit(status)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(status)  # which says so
    os._exit(status)
