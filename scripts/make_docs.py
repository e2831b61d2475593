"""Make docs/reference from the program itself, or tell with --check which file is out of date."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer.main

from canary import errors

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- made by `make docs`; edit the program instead -->\n"
USUAL = {"help", "home", "json"}  # every command has them: told once

CLI_HEAD = """\
# Commands

Results go to standard output, talk to standard error. Every command has `--help` with an example; those that
work in a home have `--home DIR` (else `CANARY_HOME`, else the user's data folder), and those that answer have
`--json`: one JSON value on standard output and nothing else.

Exit status: 0 done, 1 found something and `--exit-code` was given, 2 wrong use, 3 the outside failed (file,
database, network), 4 refused on safety grounds. See [errors](errors.md).
"""
ERRORS_HEAD = """\
# Errors

An error is two lines on standard error: `error:` says what was got, `hint:` what to do. There is never a
traceback. From Python the same errors are raised, with `message` and `hint`.
"""


def cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell(part) for part in line) + " |" for line in lines) + "\n"


# the command line


def commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Walk a command group: each command with its whole name, groups before what they hold."""
    for name, command in sorted(group.commands.items()):
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")


def word(parameter: Any) -> str:
    """Name what stands in a parameter's place."""
    return str(parameter.metavar or parameter.name.strip("_").upper())


def spelling(parameter: Any) -> str:
    """Write an option as it is typed."""
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.param_type_name == "argument":
        return f"`{word(parameter)}`" + (" …" if parameter.nargs == -1 else "")
    if getattr(parameter, "is_flag", False):
        return f"`{names}`"
    return f"`{names} {word(parameter)}`"


def default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if callable(value) or value is None or value is False or value == () or value == []:
        return "may be repeated" if getattr(parameter, "multiple", False) else ""
    return f"`{value}`"


def usage(name: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    needed = [one for one in command.params if one.param_type_name == "option" and one.required]
    parts = [f"{one.opts[0]} {word(one)}" for one in needed]
    for one in arguments:
        text = word(one) + ("..." if one.nargs == -1 else "")
        parts.append(text if one.required else f"[{text}]")
    return " ".join([name, *sorted(parts, key=lambda part: part.startswith("-")), "[options]"])


def about(command: Any) -> tuple[str, str]:
    """Split a command's help into what it does and its example."""
    text = inspect.cleandoc(command.help or "")
    before, _, example = text.partition("Example:")
    return before.strip(), example.strip()


def command_page(name: str, command: Any) -> str:
    does, example = about(command)
    lines = [f"## {name}\n", f"{does}\n", f"```text\n{usage(name, command)}\n```\n"]
    rows: list[list[object]] = [
        [spelling(one), getattr(one, "help", "") or "", default(one)]
        for one in command.params
        if one.name not in USUAL and not getattr(one, "hidden", False)
    ]
    if rows:
        lines.append(table(["option", "what it is", "default"], rows))
    if example:
        lines.append(f"Example: `{example}`\n")
    return "\n".join(lines)


def cli(app: typer.Typer) -> str:
    """Describe every command of the program."""
    root = typer.main.get_command(app)
    found = list(commands(root, "canary"))
    single = [(name, command) for name, command in found if not hasattr(command, "commands")]
    index = [
        [f"[`{name}`](#{name.replace(' ', '-')})", about(command)[0].split("\n")[0]]
        for name, command in single
    ]
    return "\n".join(
        [
            CLI_HEAD,
            table(["command", "does"], [list(row) for row in index]),
            *[command_page(name, command) for name, command in single],
        ]
    )


# the settings

TABLE = re.compile(r"^(?:# )?\[+[^\]]+\]+")


def config(text: str) -> str:
    """Describe config.toml table by table, from its own comments."""
    head, _, rest = text.partition("\n\n")
    lines = [
        "# Settings: config.toml\n",
        " ".join(line.removeprefix("# ") for line in head.splitlines()) + "\n",
    ]
    for block in rest.strip().split("\n\n"):
        first = block.splitlines()[0]
        match = TABLE.match(first)
        if match:
            title = match[0].removeprefix("# ").strip("[]")
            lines.append(f"## {title}\n")
            if first.startswith("# "):
                lines.append("Off until the `#` is taken away.\n")
        lines.append(f"```toml\n{block}\n```\n")
    return "\n".join(lines)


# the record kinds


def kinds(folder: Path) -> str:
    """Describe every record kind of config/kinds from its file."""
    pages = [
        "# Record kinds\n",
        "One file a kind in `config/kinds/`; `canary kind show KIND` tells the same.\n",
    ]
    for path in sorted(folder.glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        pages.append(f"## {path.stem}\n\n{data.get('summary') or data.get('description') or ''}\n")
        columns = kind_columns(data)
        if columns:
            headings = list(dict.fromkeys(key for column in columns for key in column if key != "rule"))
            rows = [[column.get(key, "") for key in headings] for column in columns]
            pages.append(table(headings, rows))
    return "\n".join(pages)


def kind_columns(data: dict[str, Any]) -> list[dict[str, object]]:
    """Find the columns of a kind: an array of tables, or tables by name."""
    found = data.get("columns") or data.get("fields") or []
    if isinstance(found, dict):
        return [
            {"name": name, **(one if isinstance(one, dict) else {"is": one})} for name, one in found.items()
        ]
    return [one if isinstance(one, dict) else {"name": one} for one in found]


# the errors


def error_page() -> str:
    """Describe the tree of errors and what each ends with."""
    classes = [
        one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, errors.CanaryError)
    ]
    rows: list[list[object]] = [
        [f"`{one.__name__}`", inspect.getdoc(one) or "", one.exit_status] for one in classes
    ]
    return "\n".join(
        [
            ERRORS_HEAD,
            table(["in Python", "means", "exit status"], rows),
        ]
    )


def pages() -> dict[str, str]:
    """Make every page of the reference."""
    from canary.cli.main import app

    return {
        "cli.md": cli(app),
        "config.md": config((ROOT / "config" / "canary.toml").read_text("utf-8")),
        "kinds.md": kinds(ROOT / "config" / "kinds"),
        "errors.md": error_page(),
    }


def differences(made: dict[str, str], folder: Path) -> list[str]:
    """List the lines in which the folder differs from what was made."""
    found: list[str] = []
    for name, text in made.items():
        path = folder / name
        old = path.read_text("utf-8") if path.exists() else ""
        found += difflib.unified_diff(
            old.splitlines(), text.splitlines(), f"docs/reference/{name}", "the program", lineterm=""
        )
    return found


def main() -> int:
    made = {name: MADE + text.rstrip() + "\n" for name, text in pages().items()}
    if "--check" not in sys.argv:
        REFERENCE.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (REFERENCE / name).write_text(text, "utf-8")
        return 0
    found = differences(made, REFERENCE)
    if found:
        print("\n".join(found[:60]))
        print("error: docs/reference is out of date\nhint: make docs", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
