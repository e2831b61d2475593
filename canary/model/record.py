"""Personas and the record kinds they are written into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import NamedTuple


class Persona(NamedTuple):
    """One fake person, consistent in every field; `bits` is the min-entropy of each identifying field's draw.

    A tuple with names, for they are made by the hundred thousand.
    """

    name: str
    sex: str  # "M" or "F"
    birth_date: date
    id_number: str  # empty where no safe number exists
    province: str
    city: str
    district: str
    address: str
    postcode: str
    email: str
    phone: str
    alias: str = ""
    bits: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KindColumn:
    """One column of a record kind: headings by language, its role, and the rule that fills it."""

    name: str
    role: str
    headings: Mapping[str, str]
    rule: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KindTable:
    """Facts that belong together in a kind: each record takes one row of them, by weight where there are weights."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class KindPeople:
    """Who may play a part in a kind: the sexes, and the ages in whole years from first to last."""

    sexes: str = "MF"
    ages: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A record kind, read from one TOML file; `given` are columns that others refer to and nobody sees."""

    name: str
    summary: str
    language: str
    columns: tuple[KindColumn, ...]
    given: tuple[KindColumn, ...] = ()
    tables: Mapping[str, KindTable] = field(default_factory=dict)
    people: Mapping[str, KindPeople] = field(default_factory=dict)
