"""Anchors: the canonical values by which a row is recognised again, digested; which of them tell rows apart.

An anchor of one column is the canonical form of its role. In an anchor of several columns an address counts by the
numbers in its canonical form (12-3-2-501), in their order: no spelling of it changes them, and beside a name they tell
rows apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from canary.compiled import Kernel
from canary.fields.address import canonical_address
from canary.fields.canonical import canonical, canonical_name
from canary.fingerprint.columns import Flags, Texts, flat, spliced
from canary.fingerprint.plainforms import house_kernel, name_kernel, signs
from canary.fingerprint.plan import AnchorPlan
from canary.fingerprint.prf import ANY, CODE, GOOD, PHONE, UNSURE, DatasetKeys, Words, digested, siphash24
from canary.native import is_native

Often = NDArray[np.uint8]

MOST_ROWS: Final = 3  # a value on more rows is no anchor
_CODES: Final = frozenset(
    ("waybill_no", "order_no", "record_no", "key", "account_no", "bank_card", "resident_id")
)


def numbers_of_address(text: str) -> str | None:
    """Give the numbers in an address's canonical form, joined by hyphens, None where it has none."""
    found = canonical_address(text)
    return "-".join(re.findall("[0-9]+", found)) or None if found else None


def form_of_part(role: str, *, alone: bool) -> Callable[[str], str | None]:
    """Give the function that makes a part's canonical value."""
    if role == "name":
        return lambda text: canonical_name(text) or None
    if role == "address" and not alone:
        return numbers_of_address
    return lambda text: canonical(role, text)


def canonical_column(texts: Texts, role: str, *, alone: bool = True) -> Texts:
    """Give the canonical values of a column; empty and not filled where a cell has none."""
    slow, count = form_of_part(role, alone=alone), len(texts)
    out, ends = np.empty(len(texts.data) + 1, np.uint8), np.full(count + 1, -1, np.int64)
    ends[0] = 0
    if role == "name" and count:
        name_kernel(texts.data, texts.offsets, signs(), out, ends)
    elif role == "address" and not alone and count:
        house_kernel(texts.data, texts.offsets, signs(), out, ends)
    unsure = np.flatnonzero(ends[1:] < 0)
    ends = np.maximum.accumulate(ends)
    made = Texts(out[: ends[-1]], ends, texts.filled)
    rows = unsure[texts.filled[unsure]]
    made = spliced(made, rows, [_encoded(slow(texts.text(row))) for row in rows.tolist()])
    return Texts(made.data, made.offsets, np.diff(made.offsets) > 0)


def _encoded(text: str | None) -> bytes:
    return (text or "").encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Anchored:
    """The digests of one anchor's values, uint64[n], and which rows have one."""

    digests: Words
    valid: Flags

    def chosen(self, rows: Flags) -> Anchored:
        """Give the same with fewer valid rows."""
        return Anchored(self.digests, self.valid & rows)


def digest_anchor(keys: DatasetKeys, anchor: AnchorPlan, columns: Mapping[str, Texts]) -> Anchored | None:
    """Digest an anchor's canonical values; None where one of its columns is missing."""
    if any(heading not in columns for heading in anchor.columns):
        return None
    alone = len(anchor.columns) == 1
    parts = [
        _digested(keys, columns[heading], role, alone=alone)
        for heading, role in zip(anchor.columns, anchor.roles, strict=True)
    ]
    if alone:
        return parts[0]
    valid = np.logical_and.reduce([part.valid for part in parts])
    joined = (
        np.ascontiguousarray(np.stack([part.digests for part in parts], axis=1)).view(np.uint8).reshape(-1)
    )
    width = 8 * len(parts)
    return Anchored(siphash24(keys.digest, joined, np.arange(len(valid) + 1) * width), valid)


def _digested(keys: DatasetKeys, texts: Texts, role: str, *, alone: bool) -> Anchored:
    """Digest the canonical values of one column; codes and phones that are canonical already where they lie."""
    kind = PHONE if role == "phone" else CODE if role in _CODES else ANY
    if kind == ANY or not is_native():
        part = canonical_column(texts, role, alone=alone)
        return Anchored(siphash24(keys.digest, part.data, part.offsets), part.filled)
    digests, states = digested(keys.digest, texts.data, texts.offsets, kind)
    valid = (states == GOOD) & texts.filled
    rows = np.flatnonzero((states == UNSURE) & texts.filled)
    if len(rows):
        slow = form_of_part(role, alone=alone)
        made = flat([_encoded(slow(texts.text(row))) for row in rows.tolist()])
        digests[rows], valid[rows] = siphash24(keys.digest, made.data, made.offsets), made.filled
    return Anchored(digests, valid)


def _add(one: Often, two: Often, digests: Words) -> None:
    """Count each digest in its two places: only the place that says less goes up, both where they agree."""
    mask = np.uint64(len(one) - 1)
    for at in range(len(digests)):
        first, second = digests[at] & mask, (digests[at] >> np.uint64(32)) & mask
        least = min(one[first], two[second])
        if least < 255:
            if one[first] == least:
                one[first] += 1
            if two[second] == least:
                two[second] += 1


def _least(one: Often, two: Often, digests: Words, found: Often) -> None:
    """Give how often each digest was counted: the lesser of both places' counts."""
    mask = np.uint64(len(one) - 1)
    for at in range(len(digests)):
        found[at] = min(one[digests[at] & mask], two[(digests[at] >> np.uint64(32)) & mask])


_add_kernel = Kernel(_add)
_least_kernel = Kernel(_least)


@dataclass
class Tally:
    """Counts of digests in a fixed amount of memory (a count-min sketch of two rows, saturating).

    It never counts too few.
    """

    slots: int = 1 << 23
    tables: tuple[Often, Often] = field(init=False)

    def __post_init__(self) -> None:
        self.tables = np.zeros(self.slots, np.uint8), np.zeros(self.slots, np.uint8)

    def add(self, digests: Words) -> None:
        """Count some digests."""
        _add_kernel(*self.tables, digests)

    def count(self, digests: Words) -> Often:
        """Give how often each digest was counted, at most 255."""
        found = np.empty(len(digests), np.uint8)
        _least_kernel(*self.tables, digests, found)
        return found


@dataclass
class Counts:
    """Tallies by what they are of: an anchor by its number, a column of times by its heading.

    Each has a tally of its own, so that what one says does not depend on which others are counted.
    """

    slots: int = 1 << 23
    tallies: dict[int | str, Tally] = field(default_factory=dict)

    def add(self, name: int | str, digests: Words) -> None:
        """Count some digests."""
        if name not in self.tallies:
            self.tallies[name] = Tally(self.slots)
        self.tallies[name].add(digests)

    def count(self, name: int | str, digests: Words) -> Often:
        """Give how often each digest was counted, at most 255."""
        known = self.tallies.get(name)
        return np.zeros(len(digests), np.uint8) if known is None else known.count(digests)


def names_of(anchors: Sequence[AnchorPlan]) -> list[str]:
    """Give the columns of anchors, each once."""
    return list(dict.fromkeys(column for anchor in anchors for column in anchor.columns))
