"""Commands on data: inspect, seed, unseed, tag, release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from canary.cli.options import DryRun, Force, Home, Json, NoHome
from canary.cli.say import clean, emit, opened, table, tell, when

release = typer.Typer(help="Releases: what was handed to whom.", no_args_is_help=True, rich_markup_mode=None)

PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="a policy.toml, as inspect proposes it")
]
Dataset = Annotated[str | None, typer.Option("--dataset", metavar="NAME", help="the dataset this belongs to")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(inspect)
    app.command()(seed)
    app.command()(unseed)
    app.command()(tag)
    app.add_typer(release, name="release")


def inspect(
    source: Annotated[str, typer.Argument(metavar="FILE|DB_URL", help="a table in a file or database")],
    table_: Annotated[str | None, typer.Option("--table", help="the table, where there are several")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="write the proposed policy here")
    ] = None,
    force: Force = False,
    _home: NoHome = None,
    json: Json = False,
) -> None:
    """Guess the role of each column and propose a policy.

    Example: canary inspect waybills.csv --output policy.toml
    """
    from canary.steps import inspect as step

    answer = step.inspect(source, table_)
    if output is not None:
        step.write_policy_file(answer.policy, output, force=force)
    if json:
        emit(answer)
        return
    rows = [
        (one.name, one.role, one.mark or "", one.tolerance or "", f"{one.bits:.1f}") for one in answer.columns
    ]
    table(["column", "role", "mark", "tolerance", "bits"], rows)
    print(f"{answer.rows_read} rows read, {answer.bits_per_row:.1f} bits a row")
    for warning in answer.warnings:
        tell(f"warning: {warning}")
    if output is not None:
        tell(f"wrote the proposed policy to {output}; read it before you use it")


def seed(
    url: Annotated[
        str, typer.Argument(metavar="DB_URL", help="sqlite:///file.db, postgresql://… or mysql://…")
    ],
    table_: Annotated[
        list[str],
        typer.Option("--table", help="the table to plant in; several: tables that foreign keys link"),
    ],
    recipient: Annotated[str, typer.Option("--recipient", "-r", metavar="ID", help="who has access to it")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="how many canaries")],
    policy: PolicyFile = None,
    dataset: Dataset = None,
    request: Annotated[
        str | None, typer.Option("--request", metavar="ID", help="the same ID gives the same release again")
    ] = None,
    linked: Annotated[
        bool, typer.Option("--linked", help="plant in all tables as well whose rows belong to that table's")
    ] = False,
    dry_run: DryRun = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Plant canaries in a live database, in one transaction.

    With several tables, --count is how many rows the table gets that the others refer to; each gets as many
    others as real ones have.

    Example: canary seed sqlite:///shop.db --table orders --recipient ops --count 20
    """
    from canary.steps import policies
    from canary.steps import seed as step

    with opened(home) as tools:
        wanted = step.SeedRequest(
            url=url, table=table_[0], recipient=recipient, count=count, policy=policies.read(policy),
            dataset=dataset, request=request, dry_run=dry_run, linked=tuple(table_[1:]),
        )  # fmt: skip
        wanted = step.with_followed(wanted) if linked else wanted
        done = step.seed(tools, wanted)
    if json:
        along = {"linked": done.linked} if done.linked else {}
        emit({"release": done.release, "recipient": done.recipient, "table": done.table,
              "canaries": done.canaries, "keys": done.keys, **along})  # fmt: skip
        return
    for warning in getattr(done, "warnings", ()):
        tell(f"warning: {warning}")
    where = clean(", ".join([done.table, *(one.table for one in done.linked)]))
    if dry_run:
        about = "about " if done.linked else ""
        print(f"would plant {about}{done.canaries} canaries in {where}; nothing was written")
    else:
        print(f"planted {done.canaries} canaries in {where} as release {done.release}")
        tell(f"take them out again with: canary unseed {done.release}")


def unseed(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="a release of canary seed")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Take the canaries of a seeding out of the database again.

    Example: canary unseed r-2kq5c6yj7m3xa
    """
    from canary.steps import unseed as step

    with opened(home) as tools:
        done = step.unseed(tools, release)
    if json:
        emit(done)
        return
    print(f"took out {done.removed} canaries")
    for rows, what in (
        (done.missing, "were gone already"),
        (done.changed, "hold something else now, or are referred to, and stay"),
        (done.touched, "were changed by others in other cells, and are gone"),
    ):
        if rows:
            tell(f"warning: {len(rows)} {what}")
    for warning in done.warnings:
        tell(f"warning: {warning}")


def tag(
    input: Annotated[str, typer.Argument(metavar="INPUT", help="the export; - is standard input")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="the tagged copy, or a folder for several; - is standard output",
        ),
    ],
    recipient: Annotated[
        list[str] | None, typer.Option("--recipient", "-r", metavar="ID", help="who gets it; may be repeated")
    ] = None,
    recipients: Annotated[
        Path | None, typer.Option("--recipients", metavar="FILE", help="CSV or JSONL with a column id")
    ] = None,
    policy: PolicyFile = None,
    dataset: Dataset = None,
    table_: Annotated[
        str | None, typer.Option("--table", help="the table of an SQL dump or the sheet of a workbook")
    ] = None,
    canaries: Annotated[
        float | None,
        typer.Option(
            metavar="N|RATE",
            help="a count from 1, a share below 1, 0 for none [default: the policy's, else .002]",
        ),
    ] = None,
    no_marks: Annotated[bool, typer.Option("--no-marks", help="leave every real row as it is")] = False,
    new: Annotated[bool, typer.Option("--new", help="make another release of the same input")] = False,
    require_contacts: Annotated[
        bool, typer.Option("--require-contacts", help="refuse instead of using inert phones")
    ] = False,
    force: Force = False,
    dry_run: DryRun = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Make one tagged copy of an export for each recipient.

    Example: canary tag waybills.csv --recipient acme --output acme.csv
    """
    from canary.steps import policies
    from canary.steps import recipients as people
    from canary.steps import tag as step
    from canary.steps.tagging import TagRequest

    ids = [*(recipient or []), *(people.read_ids(recipients) if recipients else [])]
    with opened(home) as tools:
        answer = step.tag(tools, TagRequest(
            input=input, recipients=tuple(ids), output=output, policy=policies.read(policy), dataset=dataset,
            table=table_, canaries=canaries, marks=not no_marks, new=new, force=force, dry_run=dry_run,
            many=recipients is not None, require_contacts=require_contacts,
        ))  # fmt: skip
    for warning in answer.warnings:
        tell(f"warning: {warning}")
    to_stdout = output == "-"
    if json and not to_stdout:
        emit(answer.releases)
    elif to_stdout:
        for one in answer.releases:
            tell(f"{one.recipient}: {one.canaries} canaries in {one.rows_out} rows, release {one.release}")
    else:
        for one in answer.releases:
            verb = "would hold" if dry_run else "holds"
            marks = f" and {one.marked_cells} marked cells" if one.marked_cells else ""
            told = f"{one.canaries} canaries{marks} in {one.rows_out} rows, release {one.release or 'none'}"
            print(clean(f"{one.output} {verb} {told}"))


@release.command("list")
def release_list(
    recipient: Annotated[
        str | None, typer.Option("--recipient", "-r", metavar="ID", help="only this one's")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the releases, oldest first.

    Example: canary release list --recipient acme
    """
    from canary.steps.shown import release_row
    from canary.store import releases

    with opened(home) as tools, tools.registry.read() as tx:
        rows = [_dated(release_row(one)) for one in releases.list_all(tx, recipient=recipient)]
    if json:
        emit(rows)
    else:
        names = [
            "release",
            "recipient",
            "dataset",
            "kind",
            "state",
            "created",
            "canaries",
            "rows_out",
            "output",
        ]
        table(names, [[row[name] for name in names] for row in rows])


def _dated(row: dict[str, object]) -> dict[str, object]:
    created = row.pop("created_ms")
    return {**row, "created": when(created if isinstance(created, int) else None)}


@release.command("show")
def release_show(
    id: Annotated[str, typer.Argument(metavar="RELEASE")],
    canaries: Annotated[
        bool,
        typer.Option("--canaries", help="open its canary rows too, for a test purchase; the ledger notes it"),
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show one release.

    Example: canary release show r-2kq5c6yj7m3xa
    """
    from canary.steps import shown

    with opened(home) as tools:
        row = _dated(shown.release(tools, id))
        changed = shown.distortion(tools, id)
        rows = shown.open_canaries(tools, id) if canaries else []
    if json:
        emit(row | {"distortion": changed} | ({"canary_rows": rows} if canaries else {}))
        return
    for key, value in row.items():
        print(f"{key:13} {clean(', '.join(map(str, value)) if isinstance(value, list) else value)}")
    for shown_rows in (changed, rows):
        if shown_rows:
            table(list(shown_rows[0]), [list(one.values()) for one in shown_rows])
