"""Commands about the verdict: trace, report, ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canary.cli.options import Force, Home, Json
from canary.cli.say import clean, emit, opened, tell

if TYPE_CHECKING:
    from canary.model.verdict import EvidenceCount

ledger = typer.Typer(
    help="The ledger of all that was issued, seen and concluded.", no_args_is_help=True, rich_markup_mode=None
)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(trace)
    app.command()(report)
    app.add_typer(ledger, name="ledger")


def trace(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH…|INCIDENT|-", help="leaked files, or an incident")
    ],
    original: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="the untouched original: reads marks through averaging and noise"),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="read marks under this policy's copies alone")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Say who leaked this, or that it cannot be said.

    Example: canary trace leak.csv
    """
    from canary.steps import policies
    from canary.steps import trace as step

    with opened(home) as tools:
        answer = step.trace(tools, paths, step.Asked(original, policies.read(policy)))
    if json:
        emit(step.public(answer))
        return
    print(f"outcome: {answer.outcome}")
    for one in answer.suspects:
        print(clean(
            f"{one.status}: {one.recipient}, probability {one.probability:.3f}, contributed {one.contributed:.3f}, "
            f"false accusation at most {one.false_accusation:.1e}, {one.evidence.canaries} canaries"
            f"{_marks(one.evidence)}"
        ))  # fmt: skip
    for sentence in answer.explanation:
        print(clean(f"- {sentence}"))
    for error in answer.errors:
        tell(f"warning: {error}")


def _marks(found: EvidenceCount) -> str:
    return f", {found.marks_agreeing} of {found.marks_read} marks agree" if found.marks_read else ""


def report(
    incident: Annotated[str, typer.Argument(metavar="INCIDENT")],
    format: Annotated[str, typer.Option("--format", help="text, md, html or json")] = "text",
    lang: Annotated[str, typer.Option("--lang", help="zh or en")] = "en",
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="- is standard output")] = "-",
    force: Force = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the case of an incident.

    Example: canary report i-2kq5c6yj7m3xa --format html --lang zh --output case.html
    """
    from canary.steps import report as step

    with opened(home) as tools:
        text = step.report(tools, incident, format, lang)
        if output == "-" and not json:
            print(text, end="" if text.endswith("\n") else "\n")
            return
        if output != "-":
            step.write(text, Path(output), force=force)
    if json:
        emit(
            {
                "incident": incident,
                "format": format,
                "lang": lang,
                "output": output,
                "report": text if output == "-" else None,
            }
        )
    else:
        print(f"wrote the report to {clean(output)}")


@ledger.command("verify")
def ledger_verify(
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", metavar="FILE", help="a checkpoint kept outside")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Check that nothing in the ledger was edited, taken out, reordered or rebuilt.

    Example: canary ledger verify --checkpoint kept.txt
    """
    from canary.steps import ledger as step

    with opened(home) as tools:
        answer = step.verify(tools, checkpoint)
    if json:
        emit(answer)
    else:
        print(f"{'ok' if answer['ok'] else 'broken'}: {answer['entries']} entries, root {answer['root']}")
        print(f"truncation: {answer['truncation']}")
        for problem in answer["problems"]:
            tell(f"problem: {problem}")
    if not answer["ok"]:
        raise typer.Exit(1)


@ledger.command("checkpoint")
def ledger_checkpoint(
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="- is standard output")] = "-",
    force: Force = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the signed checkpoint of the ledger, to be kept somewhere else.

    Example: canary ledger checkpoint --output kept.txt
    """
    from canary.steps import ledger as step

    with opened(home) as tools:
        head = step.checkpoint(tools)
        if output != "-":
            step.write_checkpoint(head["checkpoint"], Path(output), force=force)
    if json:
        emit(head)
    elif output == "-":
        print(head["checkpoint"], end="")
    else:
        print(f"wrote the checkpoint of {head['entries']} entries to {clean(output)}")


@ledger.command("show")
def ledger_show(
    last: Annotated[int, typer.Option("--last", min=0, help="only the last N entries; 0 is all")] = 20,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show the entries of the ledger, oldest first.

    Example: canary ledger show --last 5
    """
    from canary.steps import ledger as step

    with opened(home) as tools:
        rows = step.entries(tools, last)
    if json:
        emit(rows)
        return
    for row in rows:
        print(clean(f"{row['index']:>6}  {row['time']}  {row['kind']:10}  {row['body']}"))
