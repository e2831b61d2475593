"""Commands about what is seen: scan, watch, source, sighting, incident."""

from __future__ import annotations

from typing import Annotated

import typer

from canary.cli.options import Home, Json
from canary.cli.say import clean, emit, opened, table, tell, when

source = typer.Typer(
    help="Sources: what the watch polls and receives.", no_args_is_help=True, rich_markup_mode=None
)
sighting = typer.Typer(help="Sightings: what was seen.", no_args_is_help=True, rich_markup_mode=None)
incident = typer.Typer(
    help="Incidents: sightings judged to be one leak.", no_args_is_help=True, rich_markup_mode=None
)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(scan)
    app.command()(watch)
    app.add_typer(source, name="source")
    app.add_typer(sighting, name="sighting")
    app.add_typer(incident, name="incident")


def scan(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH…", help="files, folders or archives; - is standard input")
    ],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="exit 1 where something was found")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Find canaries in any file, folder or archive; stores nothing.

    Example: canary scan dump.zip --exit-code
    """
    from canary.steps import scan as step

    with opened(home) as tools:
        answer = step.scan(tools, paths)
    if json:
        emit(answer)
    else:
        table(
            ["canary", "recipients", "field", "transform", "strength", "file", "member", "offset"],
            [
                (
                    one.canary,
                    ", ".join(one.recipients),
                    one.field,
                    one.transform,
                    one.strength,
                    one.file,
                    one.member,
                    one.offset,
                )
                for one in answer.matches
            ],
        )
        for error in answer.errors:
            tell(f"warning: {error.file}{f' ({error.member})' if error.member else ''}: {error.reason}")
        tell(f"{len(answer.matches)} matches in {answer.files} files, {answer.bytes} bytes")
    if exit_code and answer.matches:
        raise typer.Exit(1)


def watch(
    once: Annotated[bool, typer.Option("--once", help="poll each source once and end")] = False,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="only this source")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Run receivers and scheduled monitors until stopped.

    Example: canary watch --once
    """
    from canary.daemon import service

    with opened(home) as tools:
        watcher = service.watcher(tools, source)
        if not once:
            tell("watching; end with Ctrl-C")
            watcher.run()
            return
        polled = watcher.once()
    if json:
        emit(polled)
        return
    for one in polled:
        print(
            clean(
                f"{one.name}: {one.items} new items, {one.matches} matches{f', {one.error}' if one.error else ''}"
            )
        )


@source.command("list")
def source_list(home: Home = None, json: Json = False) -> None:
    """List the sources with their health.

    Example: canary source list
    """
    from canary.daemon import service

    with opened(home) as tools:
        rows = [
            {"name": one.name, "kind": one.kind, "state": one.state, "last_success": when(one.last_success_ms) or None,
             "lag": one.lag, "gaps": one.gaps}
            for one in service.source_states(tools)
        ]  # fmt: skip
    if json:
        emit(rows)
    else:
        table(["name", "kind", "state", "last success", "lag", "gaps"], [list(row.values()) for row in rows])


@source.command("test")
def source_test(
    name: Annotated[str, typer.Argument(metavar="NAME")], home: Home = None, json: Json = False
) -> None:
    """Poll a source once without storing anything.

    Example: canary source test pastes
    """
    from canary.daemon import service

    with opened(home) as tools:
        answer = service.test_source(tools, name)
    if json:
        emit(answer)
    else:
        print(clean(f"{name} works: {answer.detail}" if answer.ok else f"{name} fails: {answer.detail}"))
    if not answer.ok:
        raise typer.Exit(3)


def _turn(name: str, verb: str, home: object, json: bool) -> None:
    from pathlib import Path

    from canary.daemon import service

    with opened(home if isinstance(home, Path) else None) as tools:
        service.turn_source(tools, name, verb)
    if json:
        emit({"name": name, "done": verb})
    else:
        print(clean(f"{name}: {verb} is noted"))


@source.command("pause")
def source_pause(
    name: Annotated[str, typer.Argument(metavar="NAME")], home: Home = None, json: Json = False
) -> None:
    """Stop polling a source until it is resumed.

    Example: canary source pause pastes
    """
    _turn(name, "pause", home, json)


@source.command("resume")
def source_resume(
    name: Annotated[str, typer.Argument(metavar="NAME")], home: Home = None, json: Json = False
) -> None:
    """Poll a paused source again.

    Example: canary source resume pastes
    """
    _turn(name, "resume", home, json)


@source.command("run")
def source_run(
    name: Annotated[str, typer.Argument(metavar="NAME")], home: Home = None, json: Json = False
) -> None:
    """Poll a source now instead of at its next time.

    Example: canary source run pastes
    """
    _turn(name, "run", home, json)


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
    home: Home = None,
    json: Json = False,
) -> None:
    """Show one sighting, or its bytes as they came.

    Example: canary sighting show s-2kq5c6yj7m3xa --raw
    """
    import sys

    from canary.steps import sightings

    with opened(home) as tools:
        if raw:
            sys.stdout.buffer.write(sightings.raw(tools, id))
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
