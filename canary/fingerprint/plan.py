"""The marking plan of a dataset version: frozen when its first copy is tagged, and read back by every trace."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from canary.errors import OutsideError
from canary.fingerprint.prf import SLOTS, Alphabet, even, weighted

PLAN_VERSION = 1
RECORD: Final = frozenset({"waybill_no", "order_no", "record_no", "key"})  # roles of a record's own number


@dataclass(frozen=True, slots=True)
class AnchorPlan:
    """The columns by which a row is recognised, and the role of each (which says its canonical form)."""

    columns: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column carries marks; what does not concern its kind stays at its default.

    Numbers and times are counted in units: 10^−places, or `step` seconds. A value moves by at most
    `tolerance` units (or by `share` of itself) to the class of its symbols modulo `modulus`; where `base` is
    not 0, the last digit to that base and what is before it are two symbols. Multiples of `heap` stay. A number
    is written with `least` decimals or more. A category is plausible with what stands in the columns `beside` it. Where
    moments are `tied`, those that two rows share stay, else those of more than three.
    """

    heading: str
    kind: str
    places: int = 0
    least: int = 0
    step: int = 1
    tolerance: int = 0
    share: float = 0.0
    modulus: int = 0
    base: int = 0
    heap: int = 0
    template: str = ""
    ordered: bool = False
    keep_sum: bool = False
    grammar: str = ""
    values: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    tied: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """One independent symbol of a cell: which column and part of it, which anchor serves it, where in the word.

    `slot` is the byte of the anchor's words (block slot // 16, byte slot % 16); `counts` are the chances of
    the symbols in 1/256, empty for q even ones. `thin` leaves all but thin/256 of the cells alone, by the
    dataset's key; such a channel has no dither.
    """

    column: str
    part: str
    anchor: int
    slot: int
    q: int
    counts: tuple[int, ...] = ()
    thin: int = 0

    @property
    def alphabet(self) -> Alphabet:
        """The symbols and their exact chances."""
        return weighted(self.counts) if self.counts else even(self.q)

    @property
    def block(self) -> int:
        """The number of the AES block that holds the channel's byte."""
        return self.slot // SLOTS


@dataclass(frozen=True, slots=True)
class MarkPlan:
    """All that embedding and decoding have to agree on besides the keys."""

    dataset: str
    anchors: tuple[AnchorPlan, ...]
    columns: tuple[ColumnPlan, ...]
    channels: tuple[Channel, ...]
    omit: float = 0.0

    def of_column(self, heading: str) -> list[int]:
        """Give the numbers of a column's channels, in the order of its parts."""
        return [number for number, channel in enumerate(self.channels) if channel.column == heading]

    def column(self, heading: str) -> ColumnPlan:
        """Give the plan of a column."""
        return next(column for column in self.columns if column.heading == heading)

    @property
    def headings(self) -> tuple[str, ...]:
        """All columns that are anchors or carry marks."""
        named = [column for anchor in self.anchors for column in anchor.columns]
        return tuple(dict.fromkeys([*named, *(column.heading for column in self.columns)]))

    @property
    def sources(self) -> tuple[str, ...]:
        """All columns that a copy is made from: those, and what stands beside categories."""
        beside = [name for column in self.columns for name in column.beside]
        return tuple(dict.fromkeys([*self.headings, *beside]))


def write_plan(plan: MarkPlan) -> str:
    """Write a plan as canonical JSON."""
    whole = {"version": PLAN_VERSION, **asdict(plan)}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def read_plan(text: str) -> MarkPlan:
    """Read a plan that write_plan wrote; OutsideError where it is none."""
    try:
        found = json.loads(text)
        if found.pop("version") != PLAN_VERSION:
            raise ValueError("version")
        return MarkPlan(
            dataset=found["dataset"],
            anchors=tuple(AnchorPlan(**_tuples(one)) for one in found["anchors"]),
            columns=tuple(ColumnPlan(**_tuples(one)) for one in found["columns"]),
            channels=tuple(Channel(**_tuples(one)) for one in found["channels"]),
            omit=float(found["omit"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OutsideError(
            "the marking plan of a dataset version cannot be read", "restore the registry from your backup"
        ) from None


def _tuples(found: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """A symbol that a column offers, before it has a place: its name, size, chances and share of cells."""

    column: str
    name: str
    q: int
    counts: tuple[int, ...] = ()
    thin: int = 0
    together: bool = False


def serve(
    parts: Sequence[Part], serving: Sequence[int], anchors: Sequence[AnchorPlan]
) -> tuple[Channel, ...]:
    """Give each part its anchor, out of the numbers of those that may serve, and its byte.

    The parts of one column go to different anchors, so that rounding a number or losing an anchor leaves the others;
    parts that are read `together` stay together.
    """
    used = dict.fromkeys(serving, 0)
    made: list[Channel] = []
    turn: dict[str, int] = {}
    for part in parts:
        order = _preferred(serving, anchors, part.column, turn.setdefault(part.column, len(turn)))
        number = 0 if part.together else sum(1 for one in made if one.column == part.column)
        anchor = order[number % len(order)]
        made.append(Channel(part.column, part.name, anchor, used[anchor], part.q, part.counts, part.thin))
        used[anchor] += 1
    return tuple(made)


def _preferred(serving: Sequence[int], anchors: Sequence[AnchorPlan], column: str, turn: int) -> list[int]:
    """Order anchors for one column: its own, which is there where a mark can be read, and last the record's number.

    Who leaks people keeps what reaches them; the number of the record is what he drops or gives anew.
    """
    own = [one for one in serving if column in anchors[one].columns]
    record = [one for one in serving if one not in own and set(anchors[one].roles) <= RECORD]
    others = [one for one in serving if one not in own and one not in record]
    turned = [others[(turn + at) % len(others)] for at in range(len(others))]
    return [*own, *turned, *record]
