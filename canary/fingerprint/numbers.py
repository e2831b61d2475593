"""Numbers as tables spell them: plain decimals, read into whole units and written again in the column's style."""

from __future__ import annotations

import numpy as np

from canary.compiled import Kernel
from canary.fingerprint.columns import Flags, Texts
from canary.fingerprint.lattice import Ints
from canary.fingerprint.prf import Bytes, Offsets

MOST_DIGITS = 15
UNREAD = -1


def _parse(data: Bytes, offsets: Offsets, places: int, values: Ints, decimals: Ints) -> None:
    """Read plain decimals into units of 10^−places, half up; decimals −1 where a value is spelt otherwise."""
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        decimals[row] = -1
        negative = at < end and data[at] == 45
        if negative:
            at += 1
        first, point, half = at, np.int64(-1), 0
        whole = units = np.int64(0)
        good = end - at <= 25
        while at < end and good:
            digit = np.int64(data[at]) - 48
            if digit == -2 and point < 0 and at > first:
                point = at
            elif digit < 0 or digit > 9:
                good = False
            elif point < 0:
                whole = whole * 10 + digit
                good = at - first < 15
            elif at - point <= places:
                units = units * 10 + digit
            elif at - point == places + 1:
                half = 1 if digit >= 5 else 0
            at += 1
        if not good or first == end or point == end - 1:
            continue
        if data[first] == 48 and end - first > 1 and point != first + 1:
            continue
        spelt = 0 if point < 0 else end - point - 1
        for _ in range(places - min(spelt, places)):
            units *= 10
        for _ in range(places):
            whole *= 10
        value = whole + units + half
        values[row] = -value if negative else value
        decimals[row] = spelt


parse_kernel = Kernel(_parse)


def _write(
    data: Bytes, offsets: Offsets, values: Ints, changed: Flags, style: Ints, out: Bytes, ends: Offsets
) -> None:
    """Write changed values with style[0] decimals, ending zeros beyond style[1] left out; copy the others."""
    done = 0
    digits = np.zeros(40, np.uint8)
    for row in range(len(offsets) - 1):
        if not changed[row]:
            for at in range(offsets[row], offsets[row + 1]):
                out[done] = data[at]
                done += 1
            ends[row + 1] = done
            continue
        left, places, count = abs(values[row]), style[0], 0
        while places > style[1] and left % 10 == 0:
            left //= 10
            places -= 1
        for _ in range(places):
            digits[count] = 48 + left % 10
            left //= 10
            count += 1
        if places > 0:
            digits[count] = 46
            count += 1
        more = True
        while more:
            digits[count] = 48 + left % 10
            left //= 10
            count += 1
            more = left > 0
        if values[row] < 0:
            digits[count] = 45
            count += 1
        for at in range(count):
            out[done + at] = digits[count - 1 - at]
        done += count
        ends[row + 1] = done


write_kernel = Kernel(_write)


def read_numbers(texts: Texts, places: int) -> tuple[Ints, Ints]:
    """Give (values in units of 10^−places, decimals as spelt or −1 where a cell is no plain decimal)."""
    values = np.zeros(len(texts), np.int64)
    decimals = np.full(len(texts), UNREAD, np.int64)
    if len(texts):
        parse_kernel(texts.data, texts.offsets, places, values, decimals)
    return values, decimals


def write_numbers(texts: Texts, values: Ints, changed: Flags, places: int, least: int) -> Texts:
    """Give the column with the changed rows written from their values; all other cells keep their bytes."""
    out = np.empty(len(texts.data) + 24 * int(changed.sum()), np.uint8)
    ends = np.zeros(len(texts) + 1, np.int64)
    style = np.array([places, least], np.int64)
    write_kernel(texts.data, texts.offsets, values, changed, style, out, ends)
    return Texts(out[: ends[-1]], ends, texts.filled)


def is_plain(decimals: Ints, values: Ints, places: int, least: int) -> Flags:
    """Tell which cells are spelt as the column spells numbers, so that a marked one looks like the others."""
    if least == places:
        return np.asarray(decimals == places)
    ending = np.zeros(len(values), np.int64)
    left = values.copy()
    for _ in range(places - least):
        more = (left % 10 == 0) & (ending == _)
        ending += more
        left = np.where(more, left // 10, left)
    return np.asarray(decimals == places - ending)
