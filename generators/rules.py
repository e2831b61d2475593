"""The rules of record kinds: each fills one column of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Literal, cast

from canary.errors import UsageError
from canary.generators.codes import draw_pattern, with_digits
from canary.generators.draws import Weighted, generator, integers
from canary.generators.people import People
from canary.generators.persona import Personas
from canary.generators.safety import check_all
from canary.model.record import Kind, KindColumn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Cells = Sequence[str | None]
SECONDS_A_DAY = 86_400
# Share of a day's business in each hour, from midnight.
HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 18, 30, 34, 30, 22, 24, 30, 32, 30, 26, 24, 22, 20, 16, 10, 5)
_SEXES = {"M": "男", "F": "女"}
_UNITS: Mapping[str, Literal["s", "m", "D"]] = {"second": "s", "minute": "m", "date": "D"}


class Filler:
    """Fills batches of one kind; remembers where its sequences and times stand."""

    def __init__(self, kind: Kind, personas: Personas, rng: Random, count: int) -> None:
        self.kind, self.personas, self.count = kind, personas, count
        self.gen = generator(rng)
        self.done = 0
        self._state: dict[str, float] = {}
        self._people: dict[str, People] = {}
        self._times: dict[str, NDArray[np.int64]] = {}
        self._size = 0

    def fill(self, size: int) -> list[Cells]:
        """Draw the next batch, one list of cells a column."""
        self._size, self._people, self._times = size, {}, {}
        columns = [self._filled(column) for column in self.kind.columns]
        self.done += size
        return columns

    def _filled(self, column: KindColumn) -> Cells:
        name = rule_name(column.rule)
        cells = RULES[name](self, column)
        check_all(column.role, cells, self.personas.owned)
        empty = float(cast("float", column.rule.get("empty", 0.0)))
        if not empty:
            return cells
        dice = (self.gen.random(self._size) < empty).tolist()
        return ["" if gone else cell for cell, gone in zip(cells, dice, strict=True)]

    def people(self, who: str) -> People:
        """Give the persons of this batch who play a part ('persona' or 'second')."""
        if who not in self._people:
            self._people[who] = self.personas.people(self._size)
        return self._people[who]

    def person(self, column: KindColumn) -> Cells:
        """Fill a column with one attribute of a person."""
        who = rule_name(column.rule)
        what = str(column.rule[who])
        if what == "phone":
            return self.personas.calls(self._size)
        people = self.people(who)
        if what == "email":
            return self.personas.mails(people)
        if what not in PERSON:
            raise UsageError(f"a persona has no {what!r}", "a persona has: " + ", ".join(PERSON_PARTS))
        return PERSON[what](people, self.personas)

    def pattern(self, column: KindColumn) -> Cells:
        """Fill a column with free numbers of a pattern."""
        return draw_pattern(self.gen, str(column.rule["pattern"]), self._size)

    def sequence(self, column: KindColumn) -> Cells:
        """Fill a column with numbers that rise by gaps like those of a busy counter."""
        pattern, mean = str(column.rule["sequence"]), float(cast("float", column.rule.get("gap", 1)))
        low, high = cast("Sequence[int]", column.rule.get("from", (1, 1)))
        if column.name not in self._state:
            self._state[column.name] = low + integers(self.gen, 1, max(1, high - low))[0]
        gaps = self.gen.geometric(1 / max(1.0, mean), self._size)
        numbers = (gaps.cumsum() + int(self._state[column.name])).tolist()
        self._state[column.name] = numbers[-1]
        return [with_digits(pattern, int(number)) for number in numbers]

    def choice(self, column: KindColumn) -> Cells:
        """Fill a column with entries of a list, by weight where weights are given."""
        texts = [str(text) for text in cast("Sequence[object]", column.rule["choice"])]
        weights = cast("Sequence[float]", column.rule.get("weights", [1.0] * len(texts)))
        return Weighted.of(texts, weights).draw(self.gen, self._size)

    def money(self, column: KindColumn) -> Cells:
        """Fill a column with amounts that crowd near the low end, in whole steps."""
        low, high, step = cast("Sequence[float]", column.rule["money"])
        shares = self.gen.beta(1.3, 3.5, self._size)
        steps = (shares * ((high - low) / step)).astype(int)
        decimals = len(f"{step:g}".partition(".")[2])
        return [f"{low + word * step:.{decimals}f}" for word in steps.tolist()]

    def measure(self, column: KindColumn) -> Cells:
        """Fill a column with measured values that crowd near the low end, rounded to some decimals."""
        low, high, decimals = cast("Sequence[float]", column.rule["measure"])
        shares = self.gen.beta(1.2, 4.0, self._size).tolist()
        return [f"{low + share * (high - low):.{int(decimals)}f}" for share in shares]

    def number(self, column: KindColumn) -> Cells:
        """Fill a column with small counts, the low ones most often."""
        low, high = (int(bound) for bound in cast("Sequence[int]", column.rule["count"]))
        shares = self.gen.random(self._size) ** 2.2
        return [str(low + int(share * (high - low + 1))) for share in shares.tolist()]

    def time(self, column: KindColumn) -> Cells:
        """Fill a column with times that rise over some days, crowded where the day is busy."""
        days = int(cast("int", column.rule["time"]))
        spread = self.count + 4.0 * self.count**0.5 + 1
        marks = self._state.get(column.name, 0.0) + self.gen.exponential(1.0, self._size).cumsum()
        self._state[column.name] = float(marks[-1])
        seconds = self._busy(marks / spread, days)
        self._times[column.name] = seconds
        return _written(seconds, column)

    def after(self, column: KindColumn) -> Cells:
        """Fill a column with times some minutes after those of another column."""
        other = str(column.rule["after"])
        if other not in self._times:
            raise UsageError(
                f"no time column {other!r} stands before {column.name!r}", "name a column with a time rule"
            )
        low, high = cast("Sequence[float]", column.rule["minutes"])
        waits = (low + self.gen.beta(1.6, 3.0, self._size) * (high - low)) * 60
        self._times[column.name] = self._times[other] + waits.astype("int64")
        return _written(self._times[column.name], column)

    def date(self, column: KindColumn) -> Cells:
        """Fill a column with dates so many days ago."""
        near, far = cast("Sequence[int]", column.rule["date"])
        days = near + self.gen.integers(0, far - near + 1, self._size)
        return _written((self._today() - days) * SECONDS_A_DAY, column)

    def _today(self) -> int:
        return self.personas.today.toordinal() - 719_163  # days since 1970

    def _busy(self, shares: NDArray[np.float64], days: int) -> NDArray[np.int64]:
        """Turn shares of the whole business into seconds since 1970, through the busy hours of a day."""
        import numpy as np

        steps = np.concatenate([[0.0], np.cumsum(np.array(HOURS, dtype=float))]) / sum(HOURS)
        whole = np.clip(shares, 0, 0.999999) * days
        day = np.floor(whole)
        hours = np.interp(whole - day, steps, np.arange(25.0))
        seconds = (self._today() - days + day) * SECONDS_A_DAY + hours * 3600
        written: NDArray[np.int64] = seconds.astype(np.int64)
        return written


def rule_name(rule: Mapping[str, object]) -> str:
    """Give the name of a rule, the first key that is one; raises UsageError that lists the known rules."""
    for name in rule:
        if name in RULES:
            return name
    raise UsageError(
        f"no known rule in {', '.join(rule) or 'an empty rule'}", "known rules: " + ", ".join(sorted(RULES))
    )


def _written(seconds: NDArray[np.int64], column: KindColumn) -> Cells:
    import numpy as np

    unit = _UNITS.get(str(column.rule.get("unit", "date" if column.role == "date" else "second")))
    if unit is None:
        raise UsageError(f"unknown unit in the rule of {column.name!r}", "known units: " + ", ".join(_UNITS))
    texts: list[str] = np.datetime_as_string(seconds.astype("datetime64[s]"), unit=unit).tolist()
    return [text.replace("T", " ") for text in texts]


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
    "birth_date": lambda people, _: [birth.isoformat() for birth in people.births],
    "age": _ages,
    "id_number": lambda people, _: people.id_numbers,
    "province": lambda people, _: people.provinces,
    "city": lambda people, _: people.cities,
    "district": lambda people, _: people.districts,
    "address": lambda people, _: people.addresses,
    "street": lambda people, _: people.streets,
    "postcode": lambda people, _: people.postcodes,
}
PERSON_PARTS = (*PERSON, "phone", "email")

RULES: Mapping[str, Callable[[Filler, KindColumn], Cells]] = {
    "persona": Filler.person,
    "second": Filler.person,
    "pattern": Filler.pattern,
    "sequence": Filler.sequence,
    "choice": Filler.choice,
    "money": Filler.money,
    "measure": Filler.measure,
    "count": Filler.number,
    "time": Filler.time,
    "after": Filler.after,
    "date": Filler.date,
}
