"""What the command line asks of the daemon: the watcher of a home, and how its sources fare."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from canary import settings, wiring
from canary.daemon import chores, health, sources
from canary.daemon.health import SourceHealth, WatchHealth
from canary.daemon.settings import net_settings, read_settings
from canary.daemon.sources import Tried
from canary.daemon.watcher import ONCE_PATIENCE, Watcher
from canary.net.fetch import Fetcher
from canary.net.pace import MemoryHosts
from canary.steps.tools import Tools
from canary.steps.watch import Taker


def watcher(tools: Tools, only: str | None = None) -> Watcher:
    """Make the watcher of a home, or of one of its sources; it reads the settings again when they change."""
    made = Watcher.from_config(tools.registry, watching(tools), tools.signer, tools.clock, tools.folder, only)
    made.reload = Changes(tools)
    return made


def taker(tools: Tools) -> Taker:
    """Give what takes sightings in as the watch of this home does, with its rules for alerts."""
    return watcher(tools).taker


def fetcher(tools: Tools) -> Fetcher:
    """Give what fetches single addresses under the limits of this home; it waits for its own budget."""
    limits = net_settings(cast("Mapping[str, object]", tools.config["net"]))
    clock, rng = tools.clock, random.SystemRandom()
    return Fetcher(limits, MemoryHosts(), clock, rng, time.sleep, time.monotonic, ONCE_PATIENCE)


class Changes:
    """Gives the settings of a home when their file has changed; bad ones are told once, and again when mended."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._path = tools, tools.folder / wiring.CONFIG
        self._seen = _state_of(self._path)
        self._lock = threading.Lock()

    def __call__(self) -> Mapping[str, object] | None:
        """Give the resolved settings where the file has changed; raises CanaryError where it is bad."""
        with self._lock:
            now = _state_of(self._path)
            if now == self._seen or now is None:
                return None
            self._seen = now
        config = wiring.read_settings(self._tools.folder).model_dump()
        return watching(replace(self._tools, config=config))


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino


def source_states(tools: Tools) -> list[SourceHealth]:
    """Tell how each source of the settings fares."""
    return list(watch_health(tools).sources)


def watch_health(tools: Tools) -> WatchHealth:
    """Tell how the whole watch fares."""
    chosen = read_settings(watching(tools), tools.folder).sources
    return health.watch_health(tools.registry, chosen, tools.clock.now_ms())


def source_health(tools: Tools, name: str) -> SourceHealth:
    """Tell how one source fares; raises UsageError where there is none."""
    chosen = read_settings(watching(tools), tools.folder, name).sources
    return health.watch_health(tools.registry, chosen, tools.clock.now_ms()).sources[0]


def test_source(tools: Tools, name: str) -> Tried:
    """Poll a source once and store nothing."""
    return sources.try_source(name, watching(tools), tools.clock, tools.folder)


def plant_test(tools: Tools, name: str) -> tuple[str, bool]:
    """Begin a self-test of a source; gives its word, and whether it is planted already."""
    made = watcher(tools, name)
    [source] = made.settings.sources
    return chores.plant(made.taker, source), source.plant is not None


def turn_source(tools: Tools, name: str, verb: str) -> None:
    """Pause or resume a source, or poll it now."""
    if verb == "run":
        sources.run_source(watcher(tools, name))
    else:
        sources.turn_source(tools.registry, name, verb, watching(tools), tools.folder)


def watching(tools: Tools) -> Mapping[str, object]:
    """Give the settings with the secrets of monitors and alerts resolved."""
    resolved = {name: settings.resolved(tools.config[name], tools.folder) for name in ("monitors", "alerts")}
    return {**tools.config, **resolved}
