"""The state of filling one record kind: who plays a part, what was filled already, and what names refer to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from canary.errors import UsageError
from canary.generators.belongings import chains, employers, plates
from canary.generators.draws import Weighted, generator, integers
from canary.generators.people import People, Wish
from canary.generators.persona import Personas
from canary.generators.reckon import reckon
from canary.model.record import Kind, KindColumn, KindPeople

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from canary.generators.reckon import Numbers

Cells = Sequence[str | None]
SECONDS_A_DAY = 86_400
EPOCH_DAY = 719_163  # ordinal of 1 January 1970
TODAY = "today"
_SEXES = {"M": "男", "F": "女"}
_REFERENCE = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)?)(?::(\d+))?\}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Filler:
    """Fills batches of one kind, each column by `rule` when it is first asked for; remembers where sequences stand."""

    def __init__(
        self,
        kind: Kind,
        personas: Personas,
        rng: Random,
        count: int,
        rule: Callable[[Filler, KindColumn], Cells],
    ) -> None:
        self.kind, self.personas, self.count, self._rule = kind, personas, count, rule
        self._columns = {column.name: column for column in (*kind.given, *kind.columns)}
        self._open: list[str] = []
        self.gen = generator(rng)
        self.state: dict[str, float] = {}
        self.size = 0
        self.times: dict[str, NDArray[np.int64]] = {}  # seconds since 1970
        self._filled: dict[str, Cells] = {}
        self._people: dict[str, People] = {}
        self._parts: dict[tuple[str, str], Cells] = {}
        self._picks: dict[str, list[int]] = {}

    def begin(self, size: int) -> None:
        """Begin a batch of so many records."""
        self.size, self.times, self._filled = size, {}, {}
        self._people, self._parts, self._picks = {}, {}, {}

    def column(self, name: str) -> Cells:
        """Give the cells of a column; raises UsageError where columns ask for each other in a circle."""
        if name not in self._filled:
            if name in self._open:
                raise UsageError(
                    f"columns refer to each other: {', '.join([*self._open, name])}", "break the circle"
                )
            self._open.append(name)
            self._filled[name] = self._rule(self, self._columns[name])
            self._open.pop()
        return self._filled[name]

    def people(self, who: str) -> People:
        """Give the persons of this batch who play a part ('persona' or 'second')."""
        if who not in self._people:
            wanted = self.kind.people.get(who, KindPeople())
            self._people[who] = self.personas.people(self.size, Wish(sexes=wanted.sexes, ages=wanted.ages))
        return self._people[who]

    def part(self, who: str, what: str) -> Cells:
        """Give one attribute of the persons who play a part; the same whenever it is asked for."""
        if (who, what) not in self._parts:
            self._parts[who, what] = self._drawn(who, what)
        return self._parts[who, what]

    def _drawn(self, who: str, what: str) -> Cells:
        if what == "phone":
            return self.personas.calls(self.size)
        people = self.people(who)
        if what == "email":
            return self.personas.mails(people)
        if what not in PERSON:
            raise UsageError(f"a persona has no {what!r}", "a persona has: " + ", ".join(PERSON_PARTS))
        return PERSON[what](people, self.personas)

    def taken(self, name: str) -> Cells:
        """Give the cells of a table's column ('trip.fare'), one row of the table a record."""
        table, _, column = name.partition(".")
        found = self.kind.tables.get(table)
        if found is None or column not in found.columns:
            known = [f"{key}.{one}" for key, each in self.kind.tables.items() for one in each.columns]
            raise UsageError(f"no table column {name!r}", "there are: " + (", ".join(known) or "no tables"))
        if table not in self._picks:
            weights = found.weights or (1.0,) * len(found.rows)
            numbers = Weighted.of([str(at) for at in range(len(found.rows))], weights)
            self._picks[table] = numbers.picks(self.gen, self.size).tolist()
        place = found.columns.index(column)
        return [found.rows[at][place] for at in self._picks[table]]

    def cells(self, name: str) -> Cells:
        """Give what a name stands for: a column, a table's column, or an attribute of the persona."""
        if name in self._columns:
            return self.column(name)
        if "." in name:
            return self.taken(name)
        if name in PERSON:
            return self.part("persona", name)
        raise UsageError(
            f"no column {name!r}", "there are: " + ", ".join(dict.fromkeys([*self._columns, *PERSON]))
        )

    def numbers(self, wanted: object) -> Numbers:
        """Give a number, or what a sum over columns comes to in each record; times count in days since 1970."""
        return reckon(wanted, self._value) if isinstance(wanted, str) else float(wanted)  # type: ignore[arg-type]

    def _value(self, name: str) -> Numbers:
        import numpy as np

        if name == TODAY:
            return float(self.today())
        cells = self.cells(name)
        if name in self.times:
            return self.times[name] / SECONDS_A_DAY
        found = [_NUMBER.fullmatch(cell or "") for cell in cells]
        if None in found:
            raise UsageError(f"{name!r} holds no numbers", "name a column of numbers or of times")
        return np.array([float(one[0]) for one in found if one])

    def today(self) -> int:
        """Give today in days since 1970."""
        return self.personas.today.toordinal() - EPOCH_DAY

    def woven(self, pattern: str, piece: Callable[[str], Cells]) -> Cells:
        """Write a pattern: `{column}` and `{column:4}` (its first four signs) as they are, other pieces by `piece`."""
        if not _REFERENCE.search(pattern):
            return piece(pattern)
        parts: list[Cells] = []
        end = 0
        for found in _REFERENCE.finditer(pattern):
            parts += [piece(pattern[end : found.start()])] if pattern[end : found.start()] else []
            cut = int(found[2]) if found[2] else None
            parts.append([(cell or "")[:cut] for cell in self.cells(found[1])])
            end = found.end()
        if pattern[end:]:
            parts.append(piece(pattern[end:]))
        return ["".join(filter(None, row)) for row in zip(*parts, strict=True)]

    def grouped(self, column: KindColumn, by: str, keys: Sequence[str]) -> dict[str, list[int]]:
        """Give the records of each key: the cell of `by` itself, or the greatest number not above it."""
        exact = not all(_NUMBER.fullmatch(key) for key in keys)
        bounds = [] if exact else sorted(keys, key=float)
        found: dict[str, list[int]] = {}
        for row, cell in enumerate(self.cells(by)):
            key = cell if exact or cell in keys else _below(bounds, cell)
            if key is None or key not in keys:
                raise UsageError(
                    f"column {column.name!r} has no choice for {cell!r}", f"give it one, by {by}: {cell}"
                )
            found.setdefault(key, []).append(row)
        return found

    def dice(self, texts: Sequence[str], weights: Sequence[float], count: int) -> list[str]:
        """Draw texts by weight."""
        return Weighted.of(texts, weights).draw(self.gen, count)

    def start(self, column: KindColumn, low: int, high: int) -> float:
        """Give where a column's counter stands; at first somewhere between two numbers."""
        if column.name not in self.state:
            self.state[column.name] = low + integers(self.gen, 1, max(1, high - low))[0]
        return self.state[column.name]


def woven_names(pattern: str) -> list[str]:
    """Give the names that a pattern weaves in."""
    return [found[1] for found in _REFERENCE.finditer(pattern)]


def _below(bounds: Sequence[str], cell: str | None) -> str | None:
    found = [bound for bound in bounds if _NUMBER.fullmatch(cell or "") and float(bound) <= float(cell or "")]
    return found[-1] if found else None


def _ages(people: People, personas: Personas) -> list[str]:
    today = personas.today
    return [
        str(today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day)))
        for birth in people.births
    ]


PERSON: Mapping[str, Callable[[People, Personas], Cells]] = {
    "name": lambda people, _: people.names,
    "sex": lambda people, _: people.sexes,
    "sex_zh": lambda people, _: [_SEXES[sex] for sex in people.sexes],
    "birth_date": lambda people, _: people.birth_texts,
    "birth_year": lambda people, _: [str(birth.year) for birth in people.births],
    "age": _ages,
    "id_number": lambda people, _: people.id_numbers,
    "province": lambda people, _: people.provinces,
    "city": lambda people, _: people.cities,
    "district": lambda people, _: people.districts,
    "chain": lambda people, _: chains(people),
    "address": lambda people, _: people.addresses,
    "street": lambda people, _: people.streets,
    "postcode": lambda people, _: people.postcodes,
    "plate": lambda people, _: plates(people),
    "employer": lambda people, _: employers(people),
}
PERSON_PARTS = (*PERSON, "phone", "email")
