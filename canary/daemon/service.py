"""What the command line asks of the daemon: the watcher of a home, and how its sources fare."""

from __future__ import annotations

from collections.abc import Mapping

from canary import settings
from canary.daemon import sources
from canary.daemon.sources import SourceHealth, Tried
from canary.daemon.watcher import Watcher
from canary.steps.tools import Tools


def watcher(tools: Tools, only: str | None = None) -> Watcher:
    """Make the watcher of a home, or of one of its sources."""
    return Watcher.from_config(
        tools.registry, _watching(tools), tools.signer, tools.clock, tools.folder, only
    )


def source_states(tools: Tools) -> list[SourceHealth]:
    """Tell how each source of the settings fares."""
    return sources.source_states(tools.registry, _watching(tools), tools.clock, tools.folder)


def test_source(tools: Tools, name: str) -> Tried:
    """Poll a source once and store nothing."""
    return sources.try_source(name, _watching(tools), tools.clock, tools.folder)


def turn_source(tools: Tools, name: str, verb: str) -> None:
    """Pause or resume a source, or poll it now."""
    if verb == "run":
        sources.run_source(watcher(tools, name))
    else:
        sources.turn_source(tools.registry, name, verb, _watching(tools), tools.folder)


def _watching(tools: Tools) -> Mapping[str, object]:
    """Give the settings with the secrets of monitors and alerts resolved."""
    resolved = {name: settings.resolved(tools.config[name], tools.folder) for name in ("monitors", "alerts")}
    return {**tools.config, **resolved}
