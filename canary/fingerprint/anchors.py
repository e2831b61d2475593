"""Anchors: the canonical values by which a row is recognised again, digested; which of them tell rows apart.

An anchor of one column is the canonical form of its role. In an anchor of several columns an address counts by the
numbers in its canonical form (12-3-2-501), in their order: no spelling of it changes them, and beside a name they tell
rows apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np

from canary.fields.address import canonical_address
from canary.fields.canonical import canonical, canonical_name
from canary.fields.fold import fold
from canary.fingerprint.columns import Flags, Texts, spliced
from canary.fingerprint.compiled import Kernel
from canary.fingerprint.plan import AnchorPlan
from canary.fingerprint.prf import Bytes, DatasetKeys, Offsets, Words, siphash24

MOST_ROWS: Final = 3  # a value on more rows is no anchor
_CODES: Final = frozenset(
    ("waybill_no", "order_no", "record_no", "key", "account_no", "bank_card", "resident_id")
)
_NUMERALS: Final = "零〇一二两三四五六七八九十百"
_COUNTED: Final = "号號幢栋棟座室楼樓层層弄期组組队隊房户戶单單"
_DIVISIONS: Final = "省市区县旗盟州门门牌院"


def _plain(data: Bytes, offsets: Offsets, kind: int, marked: Bytes, out: Bytes, ends: Offsets) -> None:
    """Write canonical values of one kind (0 code, 1 mobile, 2 name, 3 numbers of an address).

    `ends[row + 1]` < 0: unsure. `marked[c]` for c in U+3400–U+9FFF: 1 not canonical, 2 numeral, 4 counted,
    8 of no meaning of its own.
    """
    done = 0
    for row in range(len(offsets) - 1):
        start, end = offsets[row], offsets[row + 1]
        good, digits, own, last, before, at = end > start, 0, 0, -2, np.int64(0), start
        begun = done
        while at < end and good:
            byte = np.int64(data[at])
            if byte >= 128:
                good = kind >= 2 and 0xE3 <= byte <= 0xE9 and at + 2 < end
                if not good:
                    break
                sign = (byte & 15) << 12 | (np.int64(data[at + 1]) & 63) << 6 | (np.int64(data[at + 2]) & 63)
                good = 0x3400 <= sign <= 0x9FFF
                if not good:
                    break
                kinds = np.int64(marked[sign - 0x3400])
                own += 1 if kinds & 14 == 0 else 0
                if kind == 2:
                    good = kinds & 1 == 0
                    for step in range(3):
                        out[done + step] = data[at + step]
                    done += 3
                good = good and not (kind == 3 and before & 2 != 0 and kinds & 4 != 0)
                before = kinds
                at += 3
                continue
            digit = 48 <= byte <= 57
            if kind == 0:
                good = digit or 65 <= byte <= 90
                out[done] = byte
                done += 1
            elif kind == 1:
                good = digit
                out[done] = byte
                done += 1
            elif kind == 2:
                good = False
            else:
                good = not (before & 2 != 0 and (byte < 48 or 57 < byte < 97))
                own += 1 if byte >= 97 and byte <= 122 else 0
                if digit:
                    if digits > 0 and last != at - 1:
                        for step in range(last + 1, at):
                            good = good and data[step] > 32 and data[step] != 46 and data[step] != 39
                        out[done] = 45
                        done += 1
                    out[done] = byte
                    done += 1
                    last = at
                before = np.int64(0)
            digits += 1 if digit else 0
            at += 1
        if kind == 0:
            good = good and digits > 0 and end - start <= 64
        elif kind == 1:
            good = good and end - start == 11 and data[start] == 49 and data[start + 1] >= 51
        elif kind == 3:
            good = good and own >= 3
        if not good:
            done = begun
        ends[row + 1] = done if good else -1


plain_kernel = Kernel(_plain)


@lru_cache(maxsize=1)
def _signs() -> Bytes:
    """Give what the kernel has to know of each Chinese character."""
    marked = np.zeros(0x9FFF - 0x3400 + 1, np.uint8)
    for number in range(len(marked)):
        sign = chr(number + 0x3400)
        counted, numeral = sign in _COUNTED, sign in _NUMERALS
        empty = sign in _DIVISIONS or counted or numeral
        marked[number] = (fold(sign) != sign) | numeral << 1 | counted << 2 | empty << 3
    return marked


def numbers_of_address(text: str) -> str | None:
    """Give the numbers in an address's canonical form, joined by hyphens, None where it has none."""
    found = canonical_address(text)
    return "-".join(re.findall("[0-9]+", found)) or None if found else None


def form_of_part(role: str, *, alone: bool) -> tuple[int, Callable[[str], str | None]]:
    """Give the kernel's kind (−1: none) and the function that makes a part's canonical value."""
    if role in _CODES:
        return 0, lambda text: canonical(role, text)
    if role == "phone":
        return 1, lambda text: canonical(role, text)
    if role == "name":
        return 2, lambda text: canonical_name(text) or None
    if role == "address" and not alone:
        return 3, numbers_of_address
    return -1, lambda text: canonical(role, text)


def canonical_column(texts: Texts, role: str, *, alone: bool = True) -> Texts:
    """Give the canonical values of a column; empty and not filled where a cell has none."""
    kind, slow = form_of_part(role, alone=alone)
    count = len(texts)
    out, ends = np.empty(len(texts.data) + 1, np.uint8), np.full(count + 1, -1, np.int64)
    ends[0] = 0
    if kind >= 0 and count:
        plain_kernel(texts.data, texts.offsets, kind, _signs(), out, ends)
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
        canonical_column(columns[heading], role, alone=alone)
        for heading, role in zip(anchor.columns, anchor.roles, strict=True)
    ]
    valid = np.logical_and.reduce([part.filled for part in parts])
    digests = [siphash24(keys.digest, part.data, part.offsets) for part in parts]
    if alone:
        return Anchored(digests[0], valid)
    joined = np.ascontiguousarray(np.stack(digests, axis=1)).view(np.uint8).reshape(-1)
    width = 8 * len(parts)
    return Anchored(siphash24(keys.digest, joined, np.arange(len(valid) + 1) * width), valid)


@dataclass
class Tally:
    """Counts of digests in a fixed amount of memory (a count-min sketch of two rows, saturating).

    It never counts too few; with one entry for each value it counts one value in sixty too often.
    """

    slots: int = 1 << 23
    tables: list[np.ndarray[tuple[int, ...], np.dtype[np.uint16]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.tables:
            self.tables = [np.zeros(self.slots, np.uint16) for _ in range(2)]

    def add(self, digests: Words) -> None:
        """Count some digests."""
        for table, places in zip(self.tables, self._places(digests), strict=True):
            for at in range(0, len(places), 32768):
                some = places[at : at + 32768]
                np.add.at(table, some, np.uint16(1))
                table[some] = np.minimum(table[some], 30000)

    def count(self, digests: Words) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
        """Give how often each digest was counted, at most 30,000."""
        one, two = (table[places] for table, places in zip(self.tables, self._places(digests), strict=True))
        return np.minimum(one, two)

    def _places(self, digests: Words) -> tuple[Words, Words]:
        mask = np.uint64(self.slots - 1)
        return digests & mask, (digests >> np.uint64(32)) & mask


def tells_rows(tally: Tally, anchored: Anchored) -> Anchored:
    """Keep the values that stand on at most three rows."""
    return anchored.chosen(tally.count(anchored.digests) <= MOST_ROWS)


def tells_within(anchored: Anchored) -> Anchored:
    """Keep the values that stand on at most three rows of this very table (what a leak alone can tell)."""
    _, inverse, counts = np.unique(anchored.digests, return_inverse=True, return_counts=True)
    return anchored.chosen(counts[inverse.reshape(-1)] <= MOST_ROWS)


def names_of(anchors: Sequence[AnchorPlan]) -> list[str]:
    """Give the columns of anchors, each once."""
    return list(dict.fromkeys(column for anchor in anchors for column in anchor.columns))
