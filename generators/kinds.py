"""Record kinds are data: one TOML file each, found by its name or path, or by the entry-point group canary.kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from random import Random
from typing import NamedTuple

from canary.errors import OutsideError, UsageError
from canary.fields.roles import FORMS, PERSONAL
from canary.generators.data import config_folder
from canary.generators.filler import Filler
from canary.generators.kind_file import read_kind
from canary.generators.persona import Personas
from canary.generators.rules import fill, filled
from canary.model.record import Kind

GROUP = "canary.kinds"
BATCH = 8192  # rows drawn at once
TABLE = "table"  # the kind of rows that fit no known one
LEAST_SHARED = 0.5  # share of roles in common
ENDING = ".toml"
LARGEST = 1_000_000  # bytes of a kind file


class KindRows(NamedTuple):
    """Records of a kind: headings, rows as they are drawn, and the role of each heading."""

    headings: tuple[str, ...]
    rows: Iterator[dict[str, str | None]]
    roles: Mapping[str, str]


def kind_names() -> list[str]:
    """List the record kinds by file name and entry point, without loading them."""
    files = {
        entry.name.removesuffix(ENDING)
        for entry in config_folder("kinds").iterdir()
        if entry.name.endswith(ENDING)
    }
    return sorted(files | set(_outside()))


def _outside() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def load_kind(name: str) -> Kind:
    """Load a record kind by its name or the path of its .toml file; raises UsageError that lists the known ones."""
    if name.endswith(ENDING):
        return _from_path(Path(name))
    found = _built_in(name) if name.isidentifier() else None
    return found or _foreign(name)


@lru_cache(maxsize=64)
def _built_in(name: str) -> Kind | None:
    file = config_folder("kinds") / f"{name}{ENDING}"
    return read_kind(name, file.read_text("utf-8")) if file.is_file() else None


def _foreign(name: str) -> Kind:
    """Load a kind that an installed package brings."""
    point = _outside().get(name)
    if point is None:
        known = ", ".join(kind_names())
        raise UsageError(
            f"unknown kind {name!r}", f"known kinds: {known}; or give the path of a {ENDING} file"
        )
    made = point.load()
    found = made() if callable(made) else made
    if not isinstance(found, Kind):
        raise UsageError(
            f"entry point {name!r} gives no record kind",
            f"let {GROUP} name a Kind or a function that returns one",
        )
    return found


def _from_path(path: Path) -> Kind:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        text = data.decode("utf-8") if len(data) <= LARGEST else None
    except OSError as error:
        raise OutsideError(f"cannot read {path}: {error.strerror}", "give the path of a kind file") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8", "save it as UTF-8") from None
    if text is None:
        raise UsageError(f"{path} is too large for a kind file", f"keep it below {LARGEST} bytes")
    return read_kind(path.name.removesuffix(ENDING), text)


def best_kind(roles: Iterable[str]) -> str:
    """Give the kind whose identifying and personal roles a table shares most, "table" where none is near."""
    wanted = Counter(role for role in roles if role in PERSONAL | FORMS.keys())
    best, found = TABLE, LEAST_SHARED
    for name in kind_names():
        have = Counter(
            column.role for column in load_kind(name).columns if column.role in PERSONAL | FORMS.keys()
        )
        shared = (wanted & have).total() / max(1, (wanted | have).total())
        if shared > found:
            best, found = name, shared
    return best


def headings_of(kind: Kind, locale: str) -> tuple[str, ...]:
    """Give the headings of a kind in the language of a locale; a kind in English keeps English ones."""
    language = "zh" if kind.language == "zh" and locale.startswith("zh") else "en"
    return tuple(column.headings[language] for column in kind.columns)


def rows_of_kind(kind: Kind, personas: Personas, rng: Random, count: int, locale: str) -> KindRows:
    """Draw `count` records of a kind, a batch at a time; every value has passed the safety gate."""
    headings = headings_of(kind, locale)
    roles = {heading: column.role for heading, column in zip(headings, kind.columns, strict=True)}
    return KindRows(headings, _rows(kind, headings, personas, rng, count), roles)


def _rows(
    kind: Kind, headings: tuple[str, ...], personas: Personas, rng: Random, count: int
) -> Iterator[dict[str, str | None]]:
    filler = Filler(kind, personas, rng, count, filled)
    for start in range(0, count, BATCH):
        columns = fill(filler, min(BATCH, count - start))
        for row in zip(*columns, strict=True):
            yield dict(zip(headings, row, strict=False))  # of one length: both go by the columns
