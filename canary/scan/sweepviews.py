"""The kernel is entered here: a text is swept as it stands, or every view of a stretch, each decoded a step further."""

from __future__ import annotations

from canary.native import apart, inner
from canary.operations import get, put, put_byte
from canary.scan.sweep import sweep
from canary.scan.sweepfold import HTML, QUOTED, STEPS, fold
from canary.scan.sweepwork import (
    CANNOT,
    CHAINED,
    COUNTS,
    DONE,
    FAILED,
    FILLED,
    HARD,
    HARDS,
    LEAD,
    LINES_OPEN,
    MAP_SIZE,
    MAPS,
    MOST_HARD,
    MOST_SHAPES,
    ODD_NOTED,
    ODDS,
    OUT,
    OUTS,
    PACKED,
    PAD,
    RING_FIRST,
    RING_LAST,
    ROOM,
    ROOMS,
    SPACED,
    SPLIT,
    UNFOLDING,
    WIDE_LAST,
)
from canary.scan.vectors import copy64

ROUNDS = 2  # as many as `spellings` has


@inner
def enter(st: int, tb: int, s: int, first: int, n: int, skip: int) -> None:
    """Sweep a text, or the views of a stretch of it."""
    if get(st, UNFOLDING):
        views(st, tb, s, first, n)
    else:
        sweep(st, tb, s, first, n, skip)


@inner
def room_of(tb: int, number: int) -> int:
    """Give where the text of a room begins."""
    return tb + ROOMS + number * ROOM + LEAD


@inner
def map_of(st: int, number: int) -> int:
    """Give where the map of a room begins."""
    return st + 8 * (MAPS + number * MAP_SIZE)


@apart
def views(st: int, tb: int, s: int, first: int, last: int) -> None:
    """Sweep every view of a stretch; what it found is told by where in the stretch it came from."""
    n = last - first
    start = room_of(tb, 0)
    i = 0
    while i < n:
        copy64(s + first + i, start + i)
        i += 64
    close(start, n)
    for j in range((n >> 6) + 8):
        put(map_of(st, 0), 2 * j, 64 * j)
        put(map_of(st, 0), 2 * j + 1, 64 * j)
    put(st, CANNOT, 0)
    chain(st, tb, 0, n, first)
    m = fold(st, tb, QUOTED, start, n, room_of(tb, 3), map_of(st, 0), map_of(st, 3))
    if m >= 0:
        swept(st, tb, 3, m, first)
        chain(st, tb, 3, m, first)


@inner
def close(at: int, n: int) -> None:
    """Put new lines behind a text."""
    for j in range(PAD):
        put_byte(at, n + j, 10)


@apart
def chain(st: int, tb: int, room: int, n: int, first: int) -> None:
    """Decode a text step by step, twice, and sweep it wherever a step changed it."""
    for _ in range(ROUNDS):
        for step in range(HTML, STEPS):
            other = 2 if room == 1 else 1
            m = fold(
                st, tb, step, room_of(tb, room), n, room_of(tb, other), map_of(st, room), map_of(st, other)
            )
            if get(st, CANNOT) or get(st, FAILED):
                return
            if m >= 0:
                room = other
                n = m
                swept(st, tb, room, n, first)


@apart
def swept(st: int, tb: int, room: int, n: int, first: int) -> None:
    """Sweep a view, and write for what it found between which places of the text that stands."""
    at = room_of(tb, room)
    close(at, n)
    fresh(st)
    known = get(st, OUT)
    sweep(st, tb, at - LEAD, LEAD, LEAD + n, LEAD)
    origins = map_of(st, room)
    for k in range(known, get(st, OUT)):
        row = OUTS + 4 * k
        start = get(st, row + 1) - LEAD
        end = get(st, row + 2) - LEAD
        put(st, row + 1, first + get(origins, 2 * max(0, (start >> 6) - 1)))
        put(st, row + 2, first + get(origins, 2 * ((end >> 6) + 1) + 1))
    for k in range(get(st, HARD)):
        noted = get(st, ODD_NOTED)
        if noted >= MOST_HARD:
            put(st, FAILED, 1)
            return
        start = get(st, HARDS + 2 * k) - LEAD
        end = get(st, HARDS + 2 * k + 1) - LEAD
        put(st, ODDS + 2 * noted, first + get(origins, 2 * max(0, (start >> 6) - 1)))
        put(st, ODDS + 2 * noted + 1, first + get(origins, 2 * ((end >> 6) + 1) + 1))
        put(st, ODD_NOTED, noted + 1)
    put(st, HARD, 0)


@inner
def fresh(st: int) -> None:
    """Begin a text: nothing of the one before stands before it."""
    put(st, DONE, 0)
    put(st, SPACED, 0)
    put(st, CHAINED, 0)
    put(st, SPLIT, 0)
    put(st, PACKED, 0)
    put(st, LINES_OPEN, 0)
    put(st, RING_FIRST, 0)
    put(st, RING_LAST, 0)
    put(st, FILLED, 0)
    put(st, WIDE_LAST, 0)
    for t in range(MOST_SHAPES):
        put(st, COUNTS + t, 0)
