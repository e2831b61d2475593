"""The policy that `inspect` proposes: anchors, conservative tolerances, and the bits of a marked cell."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import takewhile

from canary.fields.address import is_chinese
from canary.fields.canonical import canonical, name_address
from canary.fields.fold import fold
from canary.fields.policy import parse_policy, write_policy
from canary.fields.quantity import tolerance_of
from canary.fields.times import detect_format
from canary.fields.values import is_number, share
from canary.model.data import ColumnPolicy, Policy

Sample = Mapping[str, Sequence[str | None]]

CANARIES = 0.002
ANCHOR_ROWS = 3  # values on more rows are no anchors
MAX_ANCHORS = 3
ROOM = 0.05  # a tolerance is at most so much of the values at the tenth percentile
HEAPED = 0.4  # share of last digits 0 and 5 above which another digit would stand out
_ANCHOR_ORDER = (
    "waybill_no",
    "order_no",
    "record_no",
    "bank_card",
    "resident_id",
    "account_no",
    "phone",
    "email",
    "plate",
)
# Who sends is left behind in most leaks, and often one shop on many rows: whoever receives comes first.
_SENDING = re.compile(r"寄|发[件货]|sender|shipper|from", re.IGNORECASE)
_AXES = {
    "cn_address": (r"号楼|幢|栋|座", r"单元", r"室|号房", r"[省市区县]"),
    "en_address": (
        r"\b(?:street|st)\b",
        r"\b(?:avenue|ave)\b",
        r"\b(?:road|rd)\b",
        r"\b(?:apartment|apt)\b",
        r",",
    ),
}


def propose_policy(name: str, headings: Sequence[str], roles: Mapping[str, str], sample: Sample) -> Policy:
    """Propose how a table may be marked; the person decides."""
    columns = {heading: _propose_column(heading, headings, roles, sample) for heading in headings}
    draft = Policy(
        dataset=name, columns=columns, anchors=propose_anchors(headings, roles, sample), canaries=CANARIES
    )
    return parse_policy(write_policy(draft))


def propose_anchors(
    headings: Sequence[str], roles: Mapping[str, str], sample: Sample
) -> tuple[tuple[str, ...], ...]:
    """Choose up to three anchors that tell nearly every row apart: numbers, contacts, name with address."""
    headings = sorted(headings, key=lambda heading: bool(_SENDING.search(heading)))
    single = [
        h
        for role in _ANCHOR_ORDER
        for h in headings
        if roles.get(h) == role and _tells_rows(sample.get(h, ()))
    ]
    kinds = list({roles[heading]: (heading,) for heading in reversed(single)}.items())
    chosen = [columns for role, columns in sorted(kinds, key=lambda one: _ANCHOR_ORDER.index(one[0]))]
    pair = _name_with_address(headings, roles, sample)
    return (*chosen[: MAX_ANCHORS - len(pair)], *pair)


def _name_with_address(
    headings: Sequence[str], roles: Mapping[str, str], sample: Sample
) -> list[tuple[str, ...]]:
    addresses = [index for index, heading in enumerate(headings) if roles.get(heading) == "address"]
    names = [index for index, heading in enumerate(headings) if roles.get(heading) == "name"]
    for address in addresses:
        for name in sorted(names, key=lambda index: _distance(headings, index, address)):
            rows = zip(sample.get(headings[name], ()), sample.get(headings[address], ()), strict=False)
            if _tells_rows([name_address(who or "", where or "") for who, where in rows]):
                return [(headings[name], headings[address])]
    return []


def _distance(headings: Sequence[str], name: int, address: int) -> tuple[int, int]:
    """Order names by the start they share with the address (收件…), then by distance."""
    pairs = zip(headings[name].casefold(), headings[address].casefold(), strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return -common, abs(name - address)


def _tells_rows(values: Sequence[str | None]) -> bool:
    """Tell whether at least nine of ten rows have a value that stands on at most three of them."""
    counted = Counter(value for value in values if value)
    good = sum(count for count in counted.values() if count <= ANCHOR_ROWS)
    return bool(values) and good >= 0.9 * len(values)


def _propose_column(
    heading: str, headings: Sequence[str], roles: Mapping[str, str], sample: Sample
) -> ColumnPolicy:
    role = roles.get(heading, "other")
    values = [value for value in sample.get(heading, ()) if value and value.strip()]
    plain = ColumnPolicy(role)
    if role == "measure" and not _is_computed(heading, headings, roles, sample):
        tolerance = number_tolerance(values)
        return plain if tolerance is None else replace(plain, mark="number", tolerance=tolerance)
    if role == "time":
        tolerance_time = time_tolerance(values)
        return plain if tolerance_time is None else replace(plain, mark="time", tolerance=tolerance_time)
    if role == "address" and values:
        grammar = "cn_address" if share(values, is_chinese) >= 0.5 else "en_address"
        return replace(plain, mark="text", grammar=grammar) if text_bits(values, grammar) > 0 else plain
    return plain


def number_tolerance(values: Sequence[str]) -> float | None:
    """Give two or nine units of a measure's last digit, None where that would show."""
    numbers = [value.strip().replace(",", "") for value in values if is_number(value)]
    if len(numbers) < 0.9 * len(values) or len(set(numbers)) < max(4, len(numbers) // 20):
        return None
    places = max((len(number.partition(".")[2]) for number in numbers), default=0)
    small = sorted(abs(float(number)) for number in numbers)[len(numbers) // 10]
    unit = Decimal(1).scaleb(-places)
    room = small * ROOM / float(unit)
    if (places == 0 and small < 1000) or share(numbers, lambda number: number[-1] in "05") > HEAPED:
        return None
    return float(unit * 9) if room >= 9 else float(unit * 2) if room >= 2 else None


def time_tolerance(values: Sequence[str]) -> str | None:
    """Give 30s for times to the second, 60s for times to the minute, None for days and coarse times."""
    found = detect_format(values, 0.9)
    if found is None or not found.has_clock:
        return None
    moments = [found.parse(value) for value in values if found.reads(value)]
    clocks = {(moment.hour, moment.minute, moment.second) for moment in moments}
    if len(clocks) < max(3, len(moments) // 20):
        return None  # batch times: a moved one would stand out
    if found.step >= timedelta(minutes=1):
        return "60s"
    return "30s" if len({moment.second for moment in moments}) > 2 else None


def _is_computed(heading: str, headings: Sequence[str], roles: Mapping[str, str], sample: Sample) -> bool:
    """Tell whether a numeric column is a multiple, sum or product of one or two others of the sample."""
    mine = _numbers(sample.get(heading, ()))
    if mine is None:
        return False
    others = [
        _numbers(sample.get(each, ()))
        for each in headings
        if each != heading and roles.get(each) in ("measure", "money", "count")
    ]
    known = [
        numbers
        for numbers in others
        if numbers is not None and len(numbers) == len(mine) and len(set(numbers)) > 1
    ]
    if any(_is_multiple(mine, numbers) for numbers in known):
        return True
    pairs = [(known[i], known[j]) for i in range(len(known)) for j in range(i, len(known))]
    return any(
        _close(mine, [a + b for a, b in zip(one, two, strict=True)])
        or _close(mine, [a * b for a, b in zip(one, two, strict=True)])
        for one, two in pairs
    )


def _numbers(values: Sequence[str | None]) -> list[float] | None:
    if not values or not all(value and is_number(value) for value in values):
        return None
    return [float(value.replace(",", "")) for value in values if value]


def _is_multiple(mine: Sequence[float], other: Sequence[float]) -> bool:
    ratios = [a / b for a, b in zip(mine, other, strict=True) if b]
    return len(ratios) >= 3 and max(ratios) - min(ratios) <= 1e-3 * abs(max(ratios))


def _close(mine: Sequence[float], other: Sequence[float]) -> bool:
    return len(set(mine)) > 2 and all(
        abs(a - b) <= 0.006 + 1e-6 * abs(b) for a, b in zip(mine, other, strict=True)
    )


def bits_of(column: ColumnPolicy, values: Sequence[str | None]) -> float:
    """Estimate the bits of one marked cell: log2 of the values within its tolerance, or its text axes."""
    filled = [value for value in values if value and value.strip()]
    if column.mark is None or not filled:
        return 0.0
    filling = len(filled) / len(values)
    if column.mark == "text" and column.grammar is not None:
        return round(filling * text_bits(filled, column.grammar), 2)
    if column.mark in ("number", "time") and column.tolerance is not None:
        return round(filling * math.log2(max(1.0, _levels(column, filled))), 2)
    return 0.0


def _levels(column: ColumnPolicy, filled: Sequence[str]) -> float:
    tolerance = tolerance_of(column.tolerance if column.tolerance is not None else 0.0)
    if column.mark == "time":
        found = detect_format(filled, 0.9)
        return 0.0 if found is None else 2 * tolerance.span / found.step + 1
    numbers = [value.replace(",", "") for value in filled if is_number(value)]
    if not numbers:
        return 0.0
    places = max(len(number.partition(".")[2]) for number in numbers)
    amount = tolerance.amount
    if tolerance.unit == "share":
        amount *= sorted(abs(float(number)) for number in numbers)[len(numbers) // 2]
    return 2 * amount * 10.0**places + 1


def text_bits(filled: Sequence[str], grammar: str) -> float:
    """Give the mean number of two-way spellings (axes) that the texts offer under a grammar."""
    axes = [re.compile(axis) for axis in _AXES.get(grammar, ())]
    found = [sum(axis.search(text) is not None for axis in axes) for text in map(fold, filled)]
    known = [n for n, text in zip(found, filled, strict=True) if canonical("address", text)]
    return sum(known) / len(filled)
