"""The sources of a home as a person sees them: how they fare, tried, paused, resumed and run."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from canary.daemon.health import SourceHealth, watch_health
from canary.daemon.settings import read_settings
from canary.daemon.watcher import Watcher
from canary.errors import CanaryError, OutsideError, UsageError
from canary.net.fetch import Fetcher
from canary.net.pace import MemoryHosts
from canary.store import sources as store

if TYPE_CHECKING:
    from canary.daemon.polling import Polled
    from canary.ports import Clock
    from canary.store.registry import Registry

VERBS: Final = ("pause", "resume")


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
    return list(watch_health(registry, chosen, clock.now_ms()).sources)


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
