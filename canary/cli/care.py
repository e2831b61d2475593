"""Commands that make and look after a home: init, demo, doctor."""

from __future__ import annotations

from typing import Annotated

import typer

from canary.cli.options import Home, Json, NoHome
from canary.cli.say import emit, table, tell


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(init)
    app.command()(demo)
    app.command()(doctor)


def init(
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="registry on PostgreSQL instead of a SQLite file")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a home: registry, master key and config; refuses to overwrite one.

    Example: canary init --home ./canary-home
    """
    from canary import wiring

    folder = wiring.home_folder(home).absolute()
    wiring.make_home(folder, database)
    if json:
        emit({"home": str(folder), "config": str(folder / wiring.CONFIG)})
        return
    print(f"made a home at {folder}")
    tell("keep a copy of master.key and ledger.key in a safe place: without them the registry stays sealed")
    tell("next: canary recipient add ID --kind partner")


def demo(
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="another story; --list names them")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="list the stories")] = False,
    scale: Annotated[
        float, typer.Option(help="size of the story: 1 is the case as it happened", min=0.001, max=1.0)
    ] = 1.0,
    _home: NoHome = None,
    json: Json = False,
) -> None:
    """Tell a whole story in a throw-away home: plant, leak, see, trace.

    Example: canary demo --scenario hospital_list
    """
    from canary.scenarios import stage

    if list_:
        stories = stage.stories()
        if json:
            emit([{"name": one.name, "summary": one.summary} for one in stories])
        else:
            table(["name", "summary"], [(one.name, one.summary) for one in stories])
        return
    from canary.cli.main import run

    result = stage.play(scenario or stage.DEFAULT, run, scale=scale, say=None if json else print)
    if json:
        emit(result)
    if not result.ok:
        raise typer.Exit(1)


def doctor(home: Home = None, json: Json = False) -> None:
    """Say what is missing on this machine or in the home, and how to get it.

    Example: canary doctor
    """
    from canary import wiring
    from canary.steps import doctor as step

    folder = wiring.home_folder(home)
    checks = step.check_home(folder, lambda: wiring.open_tools(folder))
    if json:
        emit(checks)
    else:
        for check in checks:
            print(f"{'ok     ' if check.ok else 'missing'}  {check.name}: {check.detail}")
            if not check.ok:
                tell(f"hint: {check.hint}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
