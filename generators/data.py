"""The data files of config/people and config/kinds, read once and never changed."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


def config_folder(name: str) -> Traversable:
    """Give a folder of the packaged configuration."""
    return files("canary") / "config" / name


@cache
def people_table(name: str) -> dict[str, object]:
    """Read one TOML file of config/people."""
    return tomllib.loads((config_folder("people") / f"{name}.toml").read_text("utf-8"))


@cache
def people_rows(name: str) -> tuple[tuple[str, ...], ...]:
    """Read one CSV file of config/people, comments left out, its header (if it has one) included."""
    lines = (config_folder("people") / f"{name}.csv").read_text("utf-8").splitlines()
    return tuple(tuple(row) for row in csv.reader(line for line in lines if not line.startswith("#")))


def words(table: dict[str, object], key: str) -> tuple[str, ...]:
    """Give the distinct blank-separated words of a text entry, in their order."""
    return tuple(dict.fromkeys(str(table[key]).split()))
