"""A story as data: who there is, what they are given, who leaks how, and where it surfaces."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from canary.errors import UsageError

DEFAULT = "yto_rented_accounts"


@dataclass(frozen=True, slots=True)
class Act:
    """One step of a story: the act's name and its parameters."""

    do: str
    say: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """One scenario of config/scenarios."""

    name: str
    title: str
    summary: str
    seed: int
    acts: tuple[Act, ...]


def names() -> list[str]:
    """List the stories, the default one first."""
    folder = resources.files("canary").joinpath("config", "scenarios")
    found = sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return sorted(found, key=lambda name: name != DEFAULT)


def load(name: str) -> Story:
    """Read one story; an unknown name is a UsageError that lists the known ones."""
    if name not in names():
        raise UsageError(f"no scenario {name!r}", f"scenarios: {', '.join(names())}")
    text = resources.files("canary").joinpath("config", "scenarios", f"{name}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    acts = tuple(_act(entry) for entry in table["act"])
    return Story(name, table["title"], table["summary"], table["seed"], acts)


def _act(entry: Mapping[str, Any]) -> Act:
    rest = {key: value for key, value in entry.items() if key not in {"do", "say"}}
    return Act(entry["do"], entry.get("say", ""), rest)
