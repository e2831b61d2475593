"""Commands about the watch: watch, source, status."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from canary.cli.options import Home, Json
from canary.cli.say import clean, emit, opened, table, tell, when

if TYPE_CHECKING:
    from canary.daemon.health import SourceHealth, WatchHealth

source = typer.Typer(
    help="Sources: what the watch polls and receives.", no_args_is_help=True, rich_markup_mode=None
)
Name = Annotated[str, typer.Argument(metavar="NAME")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(watch)
    app.add_typer(source, name="source")
    app.command()(status)


def watch(
    once: Annotated[bool, typer.Option("--once", help="poll each source once and end")] = False,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="only this source")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Run receivers and scheduled monitors until stopped; SIGHUP or a change of config.toml takes effect at once.

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
    if not polled:
        tell("no source is set up to be polled: take one out of the comments in the home's config.toml")
    for one in polled:
        failed = f", {one.error}" if one.error else ""
        print(clean(f"{one.name}: {one.items} new items, {one.matches} matches{failed}"))


@source.command("list")
def source_list(home: Home = None, json: Json = False) -> None:
    """List the sources with their health.

    Example: canary source list
    """
    from canary.daemon import service

    with opened(home) as tools:
        rows = [_short(one) for one in service.source_states(tools)]
    if json:
        emit(rows)
    else:
        table(["name", "kind", "state", "last success", "lag", "gaps"], [list(row.values()) for row in rows])


def _short(one: SourceHealth) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "state": one.state,
        "last_success": when(one.last_success_ms) or None,
        "lag": one.lag,
        "gaps": one.gaps,
    }


@source.command("show")
def source_show(name: Name, home: Home = None, json: Json = False) -> None:
    """Show how one source fares: when it is due, what it costs, its breaker, its self-test.

    Example: canary source show pastes
    """
    from canary.daemon import service

    with opened(home) as tools:
        one = service.source_health(tools, name)
    row = {
        **_short(one),
        "error": one.error,
        "breaker": one.breaker,
        "due": when(one.due_ms) or None,
        "overdue": one.overdue,
        "skipped": one.skipped,
        "polls": one.polls,
        "items": one.items,
        "requests": one.requests,
        "unchanged_share": one.unchanged_share,
        "bytes": one.bytes,
        "self_test": one.self_test,
    }
    if json:
        emit(row)
        return
    for key, value in row.items():
        print(f"{key:15} {clean('' if value is None else value)}".rstrip())


@source.command("test")
def source_test(name: Name, home: Home = None, json: Json = False) -> None:
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


@source.command("plant")
def source_plant(name: Name, home: Home = None, json: Json = False) -> None:
    """Begin a self-test: a word that must come back from the source within two of its intervals.

    Example: canary source plant pastes
    """
    from canary.daemon import service

    with opened(home) as tools:
        word, planted = service.plant_test(tools, name)
    if json:
        emit({"name": name, "word": word, "planted": planted})
        return
    print(word)
    tell(f"it is planted at {name}" if planted else f"put it where {name} looks, now: it has two intervals")


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
def source_pause(name: Name, home: Home = None, json: Json = False) -> None:
    """Stop polling a source until it is resumed.

    Example: canary source pause pastes
    """
    _turn(name, "pause", home, json)


@source.command("resume")
def source_resume(name: Name, home: Home = None, json: Json = False) -> None:
    """Poll a paused source again.

    Example: canary source resume pastes
    """
    _turn(name, "resume", home, json)


@source.command("run")
def source_run(name: Name, home: Home = None, json: Json = False) -> None:
    """Poll a source now instead of at its next time.

    Example: canary source run pastes
    """
    _turn(name, "run", home, json)


def status(home: Home = None, json: Json = False) -> None:
    """Count what the registry holds and say how the watch is doing.

    Example: canary status
    """
    from canary.daemon import service
    from canary.steps import status as step

    with opened(home) as tools:
        counts = step.counts(tools)
        health = service.watch_health(tools)
    states = Counter(one.state for one in health.sources)
    if json:
        emit({**counts, "watch": _watching(health, states)})
        return
    table(["what", "count"], list(counts.items()))
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none is set up"
    print(f"sources: {told}")
    if health.sources:
        print(clean(f"polled by: {health.leader or 'no watch that runs'}"))
    for one in health.sources:
        if one.state in ("failing", "stopped", "deaf"):
            print(clean(f"{one.state}: {one.name}{f': {one.error}' if one.error else ''}"))
    for name in health.channels_broken:
        print(clean(f"alerts do not arrive: {name}"))


def _watching(health: WatchHealth, states: Counter[str]) -> dict[str, Any]:
    return {
        "leader": health.leader,
        "sources": dict(states),
        "alerts_oldest": health.alerts_oldest,
        "channels_broken": health.channels_broken,
        "unread": health.unread,
        "unread_oldest": health.unread_oldest,
    }
