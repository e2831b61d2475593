"""Commands about marks and canaries before anything leaks: evaluate, plan."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from canary.cli.options import Json, NoHome
from canary.cli.say import clean, emit, opened, table, tell

BAR = 20  # letters of a bar that is whole


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(plan)
    app.command()(evaluate)


def evaluate(
    input: Annotated[str, typer.Argument(metavar="INPUT", help="a table of yours, as you would hand it out")],
    recipients: Annotated[
        int, typer.Option("--recipients", "-N", metavar="N", min=1, help="how many get copies")
    ] = 100,
    attack: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="only this attack; may be repeated")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="rows of the copy that are attacked and leaked")] = 200,
    trials: Annotated[int, typer.Option(min=1, help="leaks for each attack and strength")] = 5,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a policy.toml; else what inspect proposes")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="also draw the rates into an SVG file")
    ] = None,
    _home: NoHome = None,
    json: Json = False,
) -> None:
    """Attack tagged copies of your own table, and count how often the source and innocents are named.

    Everything happens in a home that is thrown away, under keys of its own.

    Example: canary evaluate waybills.csv --recipients 1000 --attack "flip values"
    """
    from canary import wiring
    from canary.steps import evaluate as step
    from canary.steps import policies
    from canary.steps.outputs import check_free, write_text
    from canary.steps.plot import plot_of

    if plot is not None:
        check_free(plot, force=False)
    wanted = step.EvaluateRequest(input, recipients, tuple(attack or ()), policies.read(policy), rows, trials)
    with tempfile.TemporaryDirectory(prefix="canary-evaluate-") as folder:
        home = Path(folder) / "home"
        wiring.make_home(home)
        with opened(home) as tools:
            found = list(step.evaluate(tools, wanted))
    told = f"{rows} rows leaked each time, {recipients} recipients; canaries are left out of collusions"
    if plot is not None:
        write_text(plot_of(found, f"source named: {told}"), plot, force=False)
    if json:
        emit(found)
        return
    table(
        ["attack", "strength", "trials", "named", "innocents", ""],
        [
            (
                one.attack,
                f"{one.strength:g}",
                one.trials,
                one.named,
                one.innocents,
                _bar(one.named / one.trials),
            )
            for one in found
        ],
    )
    tell(told)


def _bar(share: float) -> str:
    return "█" * round(share * BAR) + "·" * (BAR - round(share * BAR))


def plan(
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, help="rows of the table")],
    pack: Annotated[int, typer.Option("--pack", metavar="n", min=1, help="rows that leak")],
    survival: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="share of a pack's rows that comes through cleaning")
    ] = 1.0,
    recipients: Annotated[
        int, typer.Option("--recipients", metavar="R", min=1, help="how many get copies")
    ] = 100,
    colluders: Annotated[int, typer.Option(min=1, max=8, help="how many mix their copies")] = 1,
    canaries: Annotated[
        float | None, typer.Option(metavar="N|RATE", help="canaries a copy; else as many as are enough")
    ] = None,
    bits: Annotated[
        float, typer.Option(min=0.0, help="bits a row of distinct inputs, as inspect tells")
    ] = 4.0,
    _home: NoHome = None,
    json: Json = False,
) -> None:
    """Say how many canaries and marks are enough, with the chance that a leak names its source.

    Example: canary plan --rows 400000 --pack 5000 --survival 0.4 --recipients 100
    """
    from canary.fingerprint.planning import plan_for

    outlook = plan_for(
        rows,
        pack,
        survival=survival,
        recipients=recipients,
        colluders=colluders,
        canaries=canaries,
        bits_a_row=bits,
    )
    if json:
        emit(outlook)
        return
    print(f"canaries a copy: {outlook.canaries}")
    print(f"marked bits a row: {outlook.marks_per_row:g}")
    print(f"at least one canary in the leak: {outlook.p_canary:.3f}")
    print(f"the source is named: {outlook.p_named:.3f}")
    table(
        ["pack", "rows left", "p canary", "p named"],
        [(one.pack, one.left, f"{one.p_canary:.3f}", clean(f"{one.p_named:.3f}")) for one in outlook.table],
    )
