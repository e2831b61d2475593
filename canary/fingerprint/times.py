"""Moments as tables spell them, read into whole steps since 1970 and written again in the same spelling.

Spellings whose fields have a fixed width go through kernels; the others through canary.fields.times, cell by cell.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from canary.compiled import Kernel
from canary.fields.times import TimeFormat
from canary.fingerprint.columns import Flags, Texts, spliced
from canary.fingerprint.lattice import Ints
from canary.fingerprint.prf import Bytes, Offsets

_FIELDS: Final = {"%Y": (0, 4), "%m": (1, 2), "%d": (2, 2), "%H": (3, 2), "%M": (4, 2), "%S": (5, 2)}
_TOKEN = re.compile(r"%[1-9]f|%-?[A-Za-z]|%3s|%%")
_EPOCH: Final = datetime(1970, 1, 1)


@lru_cache(maxsize=64)
def layout_of(template: str) -> tuple[bytes, tuple[int, ...]] | None:
    """Give (a filled-in example, the first byte of each of six fields or −1); None where a width is not fixed."""
    places = [-1] * 6
    written, end = b"", 0
    for token in _TOKEN.finditer(template):
        field = _FIELDS.get(token[0])
        if field is None or places[field[0]] >= 0:
            return None
        written += template[end : token.start()].encode()
        places[field[0]] = len(written)
        written += b"0" * field[1]
        end = token.end()
    return (written + template[end:].encode(), tuple(places)) if min(places[:3]) >= 0 else None


def _parse(
    data: Bytes, offsets: Offsets, form: Bytes, fields: Ints, step: int, values: Ints, good: Flags
) -> None:
    """Read moments of one fixed spelling into steps since 1970; days by Howard Hinnant's civil calendar."""
    width = len(form)
    found = np.zeros(6, np.int64)
    for row in range(len(offsets) - 1):
        first = offsets[row]
        fits = offsets[row + 1] - first == width
        for at in range(width if fits else 0):
            byte = data[first + at]
            digit = 48 <= byte <= 57
            fits = fits and (digit if form[at] == 48 else byte == form[at])
        if not fits:
            continue
        for field in range(6):
            found[field] = 0
            for at in range(4 if field == 0 else 2):
                if fields[field] >= 0:
                    found[field] = found[field] * 10 + np.int64(data[first + fields[field] + at]) - 48
        year, month, day = found[0], found[1], found[2]
        leap = 1 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 0
        last = 28 + leap if month == 2 else 30 if month in (4, 6, 9, 11) else 31
        if not (1900 <= year <= 2199 and 1 <= month <= 12 and 1 <= day <= last):
            continue
        if found[3] > 23 or found[4] > 59 or found[5] > 59:
            continue
        past = year - (1 if month <= 2 else 0)
        shifted = (month + 9) % 12
        of_era = (
            (past % 400) * 365 + (past % 400) // 4 - (past % 400) // 100 + (153 * shifted + 2) // 5 + day - 1
        )
        days = past // 400 * 146097 + of_era - 719468
        seconds = days * 86400 + found[3] * 3600 + found[4] * 60 + found[5]
        values[row] = seconds // step
        good[row] = True


def _write(offsets: Offsets, fields: Ints, step: int, values: Ints, changed: Flags, out: Bytes) -> None:
    """Write the fields of changed rows over a copy of the column's bytes."""
    for row in range(len(offsets) - 1):
        if not changed[row]:
            continue
        seconds = values[row] * step
        days = seconds // 86400
        rest = seconds - days * 86400
        z = days + 719468
        era = z // 146097
        doe = z - era * 146097
        yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
        doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
        shifted = (5 * doy + 2) // 153
        month = shifted + 3 if shifted < 10 else shifted - 9
        year = yoe + era * 400 + (1 if month <= 2 else 0)
        day = doy - (153 * shifted + 2) // 5 + 1
        parts = (year, month, day, rest // 3600, rest // 60 % 60, rest % 60)
        for field in range(6):
            left = parts[field]
            if fields[field] >= 0:
                for at in range(3 if field == 0 else 1, -1, -1):
                    out[offsets[row] + fields[field] + at] = 48 + left % 10
                    left //= 10


parse_kernel = Kernel(_parse)
write_kernel = Kernel(_write)


def read_times(texts: Texts, template: str, step: int) -> tuple[Ints, Flags]:
    """Give (moments in steps of `step` seconds since 1970, which cells are spelt so)."""
    values, good = np.zeros(len(texts), np.int64), np.zeros(len(texts), np.bool_)
    layout = layout_of(template)
    if not len(texts):
        return values, good
    if layout is not None:
        form = np.frombuffer(layout[0], np.uint8)
        parse_kernel(texts.data, texts.offsets, form, np.array(layout[1], np.int64), step, values, good)
        return values, good
    spelling = TimeFormat(template)
    for row in np.flatnonzero(texts.filled).tolist():
        text = texts.text(row)
        if spelling.reads(text):
            values[row], good[row] = steps_of(spelling.parse(text), step), True
    return values, good


def steps_of(moment: datetime, step: int) -> int:
    """Give a moment in steps since 1970; an aware one by its own clock's reading."""
    return (moment.replace(tzinfo=None) - _EPOCH) // timedelta(seconds=step)


def write_times(texts: Texts, values: Ints, changed: Flags, template: str, step: int) -> Texts:
    """Give the column with the changed rows written anew; all other cells keep their bytes."""
    layout = layout_of(template)
    if layout is not None:
        out = texts.data.copy()
        fields = np.array(layout[1], np.int64)
        write_kernel(texts.offsets, fields, step, values, changed, out)
        return Texts(out, texts.offsets, texts.filled)
    spelling, rows = TimeFormat(template), np.flatnonzero(changed)
    made = [_again(spelling, texts.text(row), int(values[row]), step) for row in rows.tolist()]
    return spliced(texts, rows, made)


def _again(spelling: TimeFormat, text: str, value: int, step: int) -> bytes:
    """Write a moved moment as its cell was spelt, with the fraction and zone it had."""
    before = spelling.parse(text)
    shift = timedelta(seconds=(value - steps_of(before, step)) * step)
    return spelling.format(before + shift).encode()
