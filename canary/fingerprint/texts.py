"""Symbols in spellings: every place of an axis in a cell is written in the one form its symbol says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canary.compiled import Kernel
from canary.fingerprint.columns import Flags, Texts
from canary.fingerprint.grammar import Grammar
from canary.fingerprint.lattice import ERASED, Ints
from canary.fingerprint.prf import Bytes, Offsets

_START, _DIGIT, _LETTER, _BLANK, _MARK, _HAN = 1, 2, 4, 8, 16, 32


def _find(
    data: Bytes,
    offsets: Offsets,
    step: NDArray[np.int16],
    pattern: NDArray[np.int16],
    rules: Ints,
    classes: Ints,
    found: Ints,
) -> int:
    """List the longest forms that stand where their axis allows: (row, first byte, end, pattern) each."""
    count = 0
    for row in range(len(offsets) - 1):
        at, start, end = offsets[row], offsets[row], offsets[row + 1]
        while at < end:
            if step[0, data[at] | (32 if 65 <= data[at] <= 90 else 0)] < 0:
                at += 1
                continue
            node, to, best, best_end = np.int64(0), at, np.int64(-1), at
            while to < end and node >= 0:
                node = np.int64(step[node, data[to] | (32 if 65 <= data[to] <= 90 else 0)])
                to += 1
                if node < 0 or pattern[node] < 0:
                    continue
                rule = rules[pattern[node]]
                before = classes[data[at - 1]] if at > start else 1
                after = classes[data[to]] if to < end else 1
                fits = (rule[3] & before) != 0
                follows = (rule[4] & after) != 0
                ahead, place = rule[5], to
                while ahead >= 0 and not follows and place < end:
                    ahead = np.int64(step[ahead, data[place] | (32 if 65 <= data[place] <= 90 else 0)])
                    place += 1
                    follows = ahead >= 0 and pattern[ahead] >= 0
                for side in range(2):
                    if rule[6 + side] != 0:
                        run, place = 0, at - 1 if side == 0 else to
                        while start <= place < end and run < 60 and classes[data[place]] == 2:
                            run += 1
                            place += -1 if side == 0 else 1
                        fits = fits and (rule[6 + side] >> run) & 1 == 1
                if fits and follows:
                    best, best_end = np.int64(pattern[node]), to
            if best >= 0 and count < len(found):
                found[count, 0], found[count, 1], found[count, 2], found[count, 3] = row, at, best_end, best
                count += 1
            at = best_end if best >= 0 else at + 1
    return count


def _rewrite(
    data: Bytes,
    offsets: Offsets,
    found: Ints,
    wanted: Ints,
    texts: Bytes,
    ends: Ints,
    out: Bytes,
    made: Offsets,
) -> None:
    """Write every found place as the wanted pattern, in capitals or small where the place was."""
    done, at, place = 0, 0, 0
    for row in range(len(offsets) - 1):
        while at < offsets[row + 1]:
            if place >= len(found) or at < found[place, 1] or wanted[place] == found[place, 3]:
                stop = offsets[row + 1]
                if place < len(found) and found[place, 0] == row:
                    stop = found[place, 1] if at < found[place, 1] else found[place, 2]
                    place += 0 if at < found[place, 1] else 1
                for byte in range(at, stop):
                    out[done] = data[byte]
                    done += 1
                at = stop
                continue
            upper = lower = 0
            for byte in range(found[place, 1], found[place, 2]):
                upper += 1 if 65 <= data[byte] <= 90 else 0
                lower += 1 if 97 <= data[byte] <= 122 else 0
            for byte in range(ends[wanted[place]], ends[wanted[place] + 1]):
                letter = texts[byte]
                if upper > 1 and lower == 0 and 97 <= letter <= 122:
                    letter = letter & 223
                elif lower > 0 and upper == 0 and 65 <= letter <= 90:
                    letter = letter | 32
                out[done] = letter
                done += 1
            at = found[place, 2]
            place += 1
        made[row + 1] = done


def _choose(
    found: Ints, rules: Ints, open_: Flags, targets: Ints, number: Ints, ends: Ints, wanted: Ints
) -> int:
    """Choose the pattern of every found place: that of its cell's target form, else its own; gives the bytes more."""
    more = 0
    for place in range(len(found)):
        row, pattern = found[place, 0], found[place, 3]
        axis, target = rules[pattern, 0], np.int64(-1)
        if open_[row, axis]:
            target = targets[row, axis]
        wanted[place] = pattern
        if target >= 0:
            wanted[place] = number[axis, rules[pattern, 1], target]
        longer = ends[wanted[place] + 1] - ends[wanted[place]] - (found[place, 2] - found[place, 1])
        more += max(longer, 0)
    return more


def _compare(before: Bytes, old: Offsets, after: Bytes, new: Offsets, differ: Flags) -> None:
    """Tell which rows' bytes differ."""
    for row in range(len(differ)):
        size = old[row + 1] - old[row]
        differ[row] = new[row + 1] - new[row] != size
        at = 0
        while not differ[row] and at < size:
            differ[row] = before[old[row] + at] != after[new[row] + at]
            at += 1


find_kernel = Kernel(_find)
choose_kernel = Kernel(_choose)
compare_kernel = Kernel(_compare)
rewrite_kernel = Kernel(_rewrite)


def byte_classes() -> Ints:
    """Give the class of each byte: digit, letter, blank, mark, or part of what is not ASCII."""
    classes = np.full(256, _HAN, np.int64)
    classes[:128] = _MARK
    classes[[*range(33), 127]] = _BLANK
    classes[48:58] = _DIGIT
    classes[[*range(65, 91), *range(97, 123)]] = _LETTER
    return classes


@dataclass(frozen=True, slots=True)
class Spellings:
    """The places of a grammar's forms in a column: int64[n, 4] of row, first byte, end, pattern; rising.

    `open` tells which cells and axes have enough places to be written, bool[rows, axes].
    """

    texts: Texts
    places: Ints
    open: Flags


def find_spellings(texts: Texts, grammar: Grammar) -> Spellings:
    """Find the forms of a grammar in a column."""
    found = np.empty((len(texts.data) + 1, 4), np.int64)
    count = 0
    if len(texts.data):
        count = find_kernel(
            texts.data, texts.offsets, grammar.step, grammar.pattern, grammar.rules, byte_classes(), found
        )
    places = found[:count].copy()
    shape = len(texts), len(grammar.axes)
    cells = places[:, 0] * shape[1] + grammar.rules[places[:, 3], 0]
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    return Spellings(texts, places, counts >= np.array([axis.least for axis in grammar.axes]))


def read_forms(spellings: Spellings, grammar: Grammar) -> Ints:
    """Give the form of each cell and axis, int64[n, axes]; −1 where none, several, or a canonical one stands."""
    axes, most = len(grammar.axes), grammar.number.shape[2]
    rules = grammar.rules[spellings.places[:, 3]]
    forms = np.zeros((len(spellings.texts), axes, most), np.bool_)
    forms.reshape(-1)[(spellings.places[:, 0] * axes + rules[:, 0]) * most + rules[:, 2]] = True
    clear = spellings.open & (forms.sum(axis=2) == 1)
    read = np.where(clear, forms.argmax(axis=2), ERASED)
    for number, axis in enumerate(grammar.axes):
        for form in axis.erased:
            read[read[:, number] == form, number] = ERASED
    return np.asarray(read, np.int64)


def write_forms(spellings: Spellings, grammar: Grammar, targets: Ints) -> Texts:
    """Give the column with each cell's axes in their target forms (−1: as they are)."""
    places, texts = spellings.places, spellings.texts
    wanted = np.empty(len(places), np.int64)
    more = choose_kernel(places, grammar.rules, spellings.open, targets, grammar.number, grammar.ends, wanted)
    out = np.empty(len(texts.data) + more, np.uint8)
    made = np.zeros(len(texts) + 1, np.int64)
    rewrite_kernel(texts.data, texts.offsets, places, wanted, grammar.texts, grammar.ends, out, made)
    return Texts(out[: made[-1]], made, texts.filled)


def differ(before: Texts, after: Texts) -> Flags:
    """Tell which rows' bytes differ."""
    told = np.zeros(len(before), np.bool_)
    if before is not after:
        compare_kernel(before.data, before.offsets, after.data, after.offsets, told)
    return told
