"""Commands about what is seen: scan, sighting, incident."""

from __future__ import annotations

from typing import Annotated

import typer

from canary.cli import scans
from canary.cli.options import Home, Json
from canary.cli.say import clean, emit, opened, table, when

sighting = typer.Typer(help="Sightings: what was seen.", no_args_is_help=True, rich_markup_mode=None)
incident = typer.Typer(
    help="Incidents: sightings judged to be one leak.", no_args_is_help=True, rich_markup_mode=None
)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(scan)
    app.add_typer(sighting, name="sighting")
    app.add_typer(incident, name="incident")


def scan(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PATH…]", help="files, folders, archives, http addresses; - is standard input"
        ),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="exit 1 where something was found")] = False,
    threads: Annotated[int, typer.Option(metavar="N", help="files and stretches read at the same time")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="keep progress, and go on where the same scan was interrupted")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="store what was found as sightings and incidents")
    ] = False,
    kept: Annotated[
        bool, typer.Option("--kept", help="read what monitors kept again instead of files; resumes by itself")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="with --kept: seen since a date, a time, or 30d, 12h ago")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Find canaries in any file, folder or archive; stores nothing unless --record is given.

    Example: canary scan dump.zip --exit-code
    """
    with opened(home) as tools:
        if kept:
            found = scans.kept(tools, paths or [], since, threads, record, json)
        else:
            found = scans.paths(tools, paths or [], since, scans.Wanted(threads, resume, record), json)
    if exit_code and found:
        raise typer.Exit(1)


@sighting.command("list")
def sighting_list(home: Home = None, json: Json = False) -> None:
    """List what was seen, oldest first.

    Example: canary sighting list
    """
    from canary.steps import sightings

    with opened(home) as tools:
        rows = [sightings.row(one) for one in sightings.list_all(tools)]
    rows = [{**row, "time": when(row["time"])} for row in rows]
    if json:
        emit(rows)
        return
    names = ["id", "source", "item", "contact", "time", "bytes"]
    table([*names, "matches"], [[*(row[name] for name in names), len(row["matches"])] for row in rows])


@sighting.command("show")
def sighting_show(
    id: Annotated[str, typer.Argument(metavar="ID")],
    raw: Annotated[
        bool, typer.Option("--raw", help="write the bytes as they came on standard output")
    ] = False,
    warc: Annotated[
        bool, typer.Option("--warc", help="write all that was fetched for it and its bytes as a WARC file")
    ] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show one sighting, or its bytes as they came.

    Example: canary sighting show s-2kq5c6yj7m3xa --raw
    """
    import sys

    from canary.steps import sightings

    with opened(home) as tools:
        if raw or warc:
            whole = sightings.warc(tools, id) if warc else sightings.raw(tools, id)
            sys.stdout.buffer.write(whole)
            sys.stdout.flush()
            return
        row = sightings.row(sightings.get(tools, id))
    row = {**row, "time": when(row["time"])}
    if json:
        emit(row)
        return
    for key, value in row.items():
        if key != "matches":
            print(f"{key:8} {clean(value if value is not None else '')}")
    table(
        ["canary", "field", "transform", "strength"],
        [(one["canary"], one["field"], one["transform"], one["strength"]) for one in row["matches"]],
    )


@incident.command("list")
def incident_list(home: Home = None, json: Json = False) -> None:
    """List the incidents, oldest first.

    Example: canary incident list
    """
    from canary.steps import cases

    with opened(home) as tools:
        rows = [cases.row(one) for one in cases.list_all(tools)]
    rows = [{**row, "opened": when(row["opened"])} for row in rows]
    if json:
        emit(rows)
    else:
        table(
            ["id", "opened", "state", "sightings", "canaries", "outcome", "suspects"],
            [
                [", ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in row.values()]
                for row in rows
            ],
        )


@incident.command("show")
def incident_show(
    id: Annotated[str, typer.Argument(metavar="ID")], home: Home = None, json: Json = False
) -> None:
    """Show one incident with its sightings.

    Example: canary incident show i-2kq5c6yj7m3xa
    """
    from canary.steps import cases, sightings

    with opened(home) as tools:
        found = cases.get(tools, id)
        seen = [sightings.row(sightings.get(tools, one)) for one in found.sightings]
    row = cases.row(found)
    answer = {
        **row,
        "opened": when(row["opened"]),
        "seen": [{**one, "time": when(one["time"])} for one in seen],
    }
    if json:
        emit(answer)
        return
    for key, value in answer.items():
        if key != "seen":
            print(f"{key:10} {clean(', '.join(map(str, value)) if isinstance(value, list) else value or '')}")
    table(
        ["sighting", "source", "time", "matches"],
        [(one["id"], one["source"], one["time"], len(one["matches"])) for one in answer["seen"]],
    )


@incident.command("close")
def incident_close(
    id: Annotated[str, typer.Argument(metavar="ID")], home: Home = None, json: Json = False
) -> None:
    """Close an incident: its canaries are public now, so they count for nothing in later incidents.

    Example: canary incident close i-2kq5c6yj7m3xa
    """
    from canary.steps import cases

    with opened(home) as tools:
        burned = cases.close(tools, id)
    if json:
        emit({"id": id, "burned": burned})
    else:
        print(f"closed {id}; {burned} canaries are burned")
