"""The sources of a home as a person sees them: how they fare, tried, paused, resumed and run."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from canary.daemon.settings import Source, read_settings
from canary.daemon.watcher import Watcher
from canary.errors import CanaryError, OutsideError, UsageError
from canary.net.fetch import Fetcher
from canary.net.pace import MemoryHosts
from canary.store import sources as store

if TYPE_CHECKING:
    from canary.daemon.polling import Polled
    from canary.ports import Clock
    from canary.store.registry import Registry

LATE_INTERVALS: Final = 3  # a source that was not polled for so long is watched by nobody
LATE_MS: Final = 90_000  # on top, and for receivers alone: three signs of life
VERBS: Final = ("pause", "resume")


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source fares; `lag` in seconds since it last worked, None where it never did."""

    name: str
    kind: str
    state: str  # ok, failing, paused, never or stopped
    last_success_ms: int | None
    lag: float | None
    gaps: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Tried:
    """What one trial of a source came to; nothing of it was stored."""

    ok: bool
    detail: str


def source_states(
    registry: Registry, config: Mapping[str, object], clock: Clock, home_folder: Path
) -> list[SourceHealth]:
    """Tell how each source of the settings fares."""
    chosen = read_settings(config, home_folder).sources
    with registry.read() as tx:
        known = {state.name: state for state in store.list_all(tx)}
    return [_health(one, known.get(one.name), clock.now_ms()) for one in chosen]


def _health(source: Source, state: store.SourceState | None, now_ms: int) -> SourceHealth:
    if state is None:
        return SourceHealth(source.name, source.kind, "never", None, None, 0, None)
    success = state.last_success_ms
    lag = None if success is None else round(max(0, now_ms - success) / 1000, 3)
    word = _word(source, state, now_ms)
    return SourceHealth(source.name, source.kind, word, success, lag, state.gaps, state.last_error)


def _word(source: Source, state: store.SourceState, now_ms: int) -> str:
    if state.paused:
        return "paused"
    if state.failures:
        return "failing"
    if state.last_success_ms is None:
        return "never"
    late = now_ms - state.last_success_ms > LATE_INTERVALS * source.interval_ms + LATE_MS
    return "stopped" if late else "ok"


def try_source(name: str, config: Mapping[str, object], clock: Clock, home_folder: Path) -> Tried:
    """Poll a source from its beginning and store nothing; of a receiver, only the settings are read."""
    settings = read_settings(config, home_folder, name)
    source = settings.sources[0]
    if source.monitor is None:
        return Tried(True, "it listens while the watch runs; its settings are good")
    fetcher = Fetcher(
        settings.net, MemoryHosts(), clock, random.SystemRandom(), time.sleep, time.monotonic, patience=0.0
    )
    try:
        poll = source.monitor.poll(None, fetcher)
    except CanaryError as error:
        return Tried(False, error.message)
    except Exception as error:
        return Tried(False, f"the monitor stumbled: {type(error).__name__}")
    return Tried(True, f"{len(poll.items)} items")


def turn_source(
    registry: Registry, name: str, verb: str, config: Mapping[str, object], home_folder: Path
) -> None:
    """Pause or resume a source; raises UsageError for any other verb or an unknown source."""
    if verb not in VERBS:
        raise UsageError(f"a source cannot be told to {verb!r}", "verbs: " + ", ".join(VERBS))
    source = read_settings(config, home_folder, name).sources[0]
    with registry.begin() as tx:
        store.ensure(tx, source.name, source.kind)
        (store.pause if verb == "pause" else store.resume)(tx, name)


def run_source(watcher: Watcher) -> Polled:
    """Poll the one source of a watcher now; raises UsageError where it cannot, OutsideError if it fails."""
    if not watcher.polled:
        raise UsageError("a receiver cannot be polled", "it listens while canary watch runs")
    polled = watcher.once()[0]
    if polled.skipped:
        raise UsageError(
            f"source {polled.name} is paused", f"resume it with: canary source resume {polled.name}"
        )
    if polled.error:
        raise OutsideError(f"source {polled.name} fails: {polled.error}", "see canary source list")
    return polled
