"""Sources that are watched: one file a kind, found by name; outside packages add theirs by entry point."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from canary.errors import UsageError

GROUP = "canary.monitors"


@cache
def _outside() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def kind_names() -> tuple[str, ...]:
    """List the kinds of monitor without importing any of them, sorted."""
    built_in = {path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_")}
    return tuple(sorted(built_in | _outside().keys()))


def load_kind(name: str) -> ModuleType:
    """Import the module of a kind: it has `monitor(settings)` or `receiver(settings)`; raises UsageError."""
    if name not in kind_names():
        raise UsageError(f"unknown kind of monitor {name!r}", "known kinds: " + ", ".join(kind_names()))
    if not name.startswith("_") and (Path(__file__).parent / f"{name}.py").is_file():
        return importlib.import_module(f"canary.monitors.{name}")
    module = _outside()[name].load()
    if not isinstance(module, ModuleType):
        raise UsageError(f"the entry point of monitor kind {name!r} is no module", "name the module itself")
    return module
