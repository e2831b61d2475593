"""Commands that leave canaries out of the owner's own files: suppress check, allow, list, lift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from canary.cli.options import DryRun, Force, Home, Json
from canary.cli.say import clean, emit, opened, plain, table, tell, when

if TYPE_CHECKING:
    from canary.steps.suppress import CallerRow

suppress = typer.Typer(
    help="Suppress: the owner's batch jobs leave canaries out.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="CALLER", help="a job's name, or a user of this machine")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(suppress, name="suppress")


def _os_user() -> str:
    """Name who runs this process as the system knows it; the environment could say anything."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


@suppress.command()
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="the job's table; - is standard input")],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="PATH", help="the same without canaries; - is standard output"
        ),
    ],
    caller: Annotated[
        str | None, typer.Option(metavar="NAME", help="the job this is for, as it was allowed [default: you]")
    ] = None,
    table_: Annotated[
        str | None, typer.Option("--table", help="the table of an SQL dump or the sheet of a workbook")
    ] = None,
    force: Force = False,
    dry_run: DryRun = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write a table of your own without the rows of canaries, for a job that ships, bills or counts.

    Every call is budgeted and stands in the ledger. The rows that stay keep every character.

    Example: canary suppress check parcels.csv --output to-ship.csv
    """
    from canary.steps import suppress as step

    with opened(home) as tools:
        done = step.check(tools, step.CheckRequest(
            input=file, output=output, os_user=_os_user(), caller=caller, table=table_, force=force,
            dry_run=dry_run,
        ))  # fmt: skip
    for warning in done.warnings:
        tell(f"warning: {warning}")
    if json and (output != "-" or dry_run):
        emit(done)
        return
    if dry_run:
        told = f"would check {done.rows_in} rows; {done.rows_left} would be left of 24 hours"
    else:
        told = f"{done.output} holds {done.rows_out} of {done.rows_in} rows; {done.rows_left} are left of 24 hours"
    if output == "-" and not dry_run:
        tell(told)
    else:
        print(clean(told))


@suppress.command()
def allow(
    caller: Name,
    user: Annotated[
        str | None, typer.Option(metavar="USER", help="the only user of this machine who may call so")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="rows in 24 hours [default: suppress.rows_a_day]")
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            "--recipient", "-r", metavar="ID", help="its files may be copies of this one; may be repeated"
        ),
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Register a job that calls suppress check, or change what one may.

    Example: canary suppress allow nightly-shipping --user shipping --rows 5000000
    """
    from canary.steps import suppress as step

    with opened(home) as tools:
        done = step.allow(tools, caller, user, rows, tuple(recipient) if recipient else None)
    if json:
        emit(_dated(done))
    else:
        print(clean(f"{done.caller} may have {done.rows_a_day} rows checked in 24 hours"))


@suppress.command("list")
def list_(home: Home = None, json: Json = False) -> None:
    """List who calls suppress check, what is left to each, and who was stopped and why.

    Example: canary suppress list
    """
    from canary.steps import suppress as step

    with opened(home) as tools:
        rows = [_dated(row) for row in step.list_all(tools)]
    if json:
        emit(rows)
        return
    names = ["caller", "os_user", "rows_a_day", "rows_left", "recipients", "stopped", "reason"]
    table(names, [[_cell(row[name]) for name in names] for row in rows])


def _dated(row: CallerRow) -> dict[str, Any]:
    stopped = when(row.stopped) or None
    return {**plain(row), "recipients": list(row.recipients), "added": when(row.added), "stopped": stopped}


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


@suppress.command()
def lift(caller: Name, home: Home = None, json: Json = False) -> None:
    """Let a caller that was stopped ask again, once you know why its files held so many canaries.

    Example: canary suppress lift nightly-shipping
    """
    from canary.steps import suppress as step

    with opened(home) as tools:
        done = step.lift(tools, caller)
    if json:
        emit(_dated(done))
    else:
        print(clean(f"{done.caller} may ask again"))
