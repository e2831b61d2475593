"""The kernel is entered here: a text is swept as it stands, or what it stands for when it is decoded.

A stretch is decoded cell by cell: between two of their borders neither a value nor anything that is decoded goes on.
The last version of every cell makes the view, which is swept once. Versions between the first and the last, which few
cells have, stand aside until a line ends, and then in the view too.
"""

from __future__ import annotations

from canary.native import apart, inner
from canary.operations import byte, get, put, trailing
from canary.scan.sweep import sweep
from canary.scan.sweepcells import UNQUOTING, cell_end, edge, link, unlink
from canary.scan.sweepfold import AT_DOT, HTML, QUOTED, U, copied, fold, surveyed
from canary.scan.sweeppacked import (
    LONGEST,
    LONGEST_PASSAGE,
    NOTHING,
    OUTERMOST,
    SHORTEST,
    TEXT,
    is_part,
    piece_end,
    run_end,
    told,
    unpacked,
    wrapped_end,
)
from canary.scan.sweepwork import (
    ASIDE,
    ASIDE_FIRST,
    ASIDE_SIZE,
    CANNOT,
    CELL,
    CELL_END,
    CHAINED,
    COUNTS,
    DONE,
    EDGES,
    FAILED,
    FILLED,
    FIRST,
    HARD,
    HARDS,
    LEAD,
    LEFT,
    LEFTS,
    LINES_OPEN,
    LINK_FIRST,
    MAPPED,
    MAPS,
    MOST_HARD,
    MOST_SHAPES,
    NESTING,
    ODD_NOTED,
    ODDS,
    ONE,
    OTHER,
    OUT,
    OUTS,
    PACKED,
    PACKS,
    PAD,
    RESULT,
    RING_FIRST,
    RING_LAST,
    SIZE,
    SPACED,
    SPLIT,
    STANDING,
    STEPS_TAKEN,
    STRETCH,
    TIME,
    UNFOLDING,
    UNQUOTED,
    VERSIONS,
    VIEW_CHANGED,
    VIEW_SIZE,
    VIEWED,
    WHOLES,
    WIDE_LAST,
    room_of,
)
from canary.scan.vectors import new_lines

ROUNDS = 2  # as many as `spellings` has
MOST_ASIDE = 1 << 14


@inner
def enter(st: int, tb: int, s: int, first: int, n: int, skip: int) -> None:
    """Sweep a text, what a stretch of it stands for, or what stretches of base64 in it hold."""
    if get(st, UNFOLDING) == 0:
        sweep(st, tb, s, first, n, skip)
        return
    begin(st)
    put(st, LEFT, 0)
    put(st, ASIDE_SIZE, 0)
    if get(st, UNFOLDING) == 1:
        views(st, tb, s, first, n)
    else:
        packs(st, tb, s, n)


@inner
def close(at: int, n: int) -> None:
    """Put new lines behind a text."""
    for j in range(PAD >> 6):
        new_lines(at + n + 64 * j)


@apart
def views(st: int, tb: int, s: int, first: int, last: int) -> None:
    """Sweep what a stretch stands for; what it found is told by where in the stretch it came from."""
    n = last - first
    start = room_of(tb, STANDING)
    copied(s + first, 0, n, start, 0)
    close(start, n)
    put(st, FIRST, first)
    cells(st, tb, start, n, True)
    spill(st, tb)
    show(st, tb)


@apart
def cells(st: int, tb: int, start: int, n: int, moving: bool) -> None:
    """Add to the view what the cells of a text stand for; where they are `moving` each has a place of its own."""
    put(st, VERSIONS, 0)
    put(st, CANNOT, 0)
    unlink(st)
    a = 0
    while a < n:
        b = cell_end(start, a, n, get(st, VERSIONS) == 0)
        if moving:
            put(st, CELL, a)
            put(st, CELL_END, b)
        put(st, VERSIONS, 0)
        put(st, EDGES, 0)
        put(st, WHOLES, 0)
        put(st, TIME, 0)
        put(st, STEPS_TAKEN, 0)
        decode(st, tb, start + a, b - a)
        if get(st, CANNOT):
            leave(st, get(st, CELL))
            put(st, CANNOT, 0)
            put(st, RESULT, start + a)
            put(st, SIZE, b - a)
        if link(st, a):
            leave(st, get(st, LINK_FIRST) if moving else get(st, CELL))
        if get(st, VERSIONS):
            put(st, VIEW_CHANGED, 1)
        view(st, tb, get(st, RESULT), get(st, SIZE))
        if moving and byte(start, b - 1) == 10:
            spill(st, tb)
        a = b


@apart
def leave(st: int, first: int) -> None:
    """Leave what begins at a place and ends with this cell, or this stretch of base64, to Python."""
    n = get(st, LEFT)
    if n >= MOST_HARD:
        put(st, FAILED, 1)
        return
    put(st, LEFTS + 2 * n, get(st, FIRST) + first)
    put(st, LEFTS + 2 * n + 1, get(st, FIRST) + get(st, CELL_END))
    put(st, LEFT, n + 1)


@apart
def packs(st: int, tb: int, s: int, count: int) -> None:
    """Sweep what stretches of base64 stand for, and what that stands for in its turn."""
    put(st, FIRST, 0)
    for k in range(count):
        a = get(st, PACKS + 2 * k)
        b = get(st, PACKS + 2 * k + 1)
        put(st, CELL, a)
        put(st, CELL_END, b)
        if not passage(st, tb, s, a, b, 0):
            leave(st, a)
        spill(st, tb)
    show(st, tb)


@apart
def passage(st: int, tb: int, s: int, a: int, b: int, depth: int) -> bool:
    """Read a passage of base64 whole, and each part of it between its marks; False where Python has to."""
    done = packed_part(st, tb, s, a, b, depth)
    p = a
    while p < b:
        e = min(b, piece_end(s, p))
        if is_part(s, p, e, b - a):
            done = packed_part(st, tb, s, p, e, depth) and done
        p = e + 1
    return done


@apart
def packed_part(st: int, tb: int, s: int, a: int, b: int, depth: int) -> bool:
    """Add to the view what a stretch of base64 stands for, if that is a text."""
    if b - a > (LONGEST if depth else LONGEST_PASSAGE):
        return False
    text = room_of(tb, OUTERMOST - depth)
    n = unpacked(tb, s, a, b, text)
    what = told(tb, text, n, False)
    if what != TEXT:
        return what == NOTHING
    close(text, n)
    put(st, VIEW_CHANGED, 1)
    view(st, tb, text, n + 1)
    if surveyed(text, n):
        cells(st, tb, text, n, False)
        view(st, tb, text + n, 1)
    done = True
    p = 0
    while p < n and depth < NESTING - 1:
        e = run_end(text, p)
        if e - p >= SHORTEST:
            e = wrapped_end(text, e)
            done = passage(st, tb, text, p, e, depth + 1) and done
        p = e + 1
    return done


@inner
def begin(st: int) -> None:
    """Begin a view."""
    put(st, VIEW_SIZE, 0)
    put(st, VIEW_CHANGED, 0)
    put(st, MAPPED, -1)


@apart
def decode(st: int, tb: int, s: int, n: int) -> None:
    """Decode a cell as it stands, and as quoted-printable; the last version is the result, the others stand aside."""
    steps = surveyed(s, n)
    put(st, RESULT, s)
    put(st, SIZE, n)
    edge(st, s, n)
    if steps == 0:
        return
    chain(st, tb, s, n, steps)
    if steps & 1 == 0 or get(st, CANNOT):
        return
    other = room_of(tb, UNQUOTED)
    m = fold(st, tb, QUOTED, s, n, other)
    if m >= 0:
        put(st, TIME, UNQUOTING)
        given(st, tb, other, m)
        chain(st, tb, other, m, surveyed(other, m))


@apart
def chain(st: int, tb: int, s: int, n: int, steps: int) -> None:
    """Decode a text step by step, twice."""
    room = ONE
    for turn in range(ROUNDS):
        left = steps & -(1 << HTML)
        while left:
            step = trailing(U(left))
            m = fold(st, tb, step, s, n, room_of(tb, room))
            if get(st, CANNOT) or get(st, FAILED):
                return
            if m < 0:
                steps &= ~(1 << step)
            else:
                s = room_of(tb, room)
                n = m
                room = OTHER if room == ONE else ONE
                take(st, tb, s, n, (AT_DOT if turn else 0) + step)
                steps = surveyed(s, n)
            left = steps & -(2 << step)


@inner
def take(st: int, tb: int, s: int, n: int, time: int) -> None:
    """Take the version that a step made."""
    if get(st, TIME) == UNQUOTING:
        put(st, STEPS_TAKEN, get(st, STEPS_TAKEN) | 1 << time)
    else:
        put(st, TIME, time)
    given(st, tb, s, n)


@apart
def given(st: int, tb: int, s: int, n: int) -> None:
    """Take a version of a cell; the one before stands aside, unless that is the first."""
    if get(st, VERSIONS):
        aside(st, tb, get(st, RESULT), get(st, SIZE))
    put(st, VERSIONS, get(st, VERSIONS) + 1)
    put(st, STEPS_TAKEN, get(st, STEPS_TAKEN) | 1 << get(st, TIME))
    put(st, RESULT, s)
    put(st, SIZE, n)
    edge(st, s, n)


@apart
def aside(st: int, tb: int, s: int, n: int) -> None:
    """Set a version aside; a long one is swept where it stands."""
    o = get(st, ASIDE_SIZE)
    if o + n > MOST_ASIDE:
        close(s, n)
        swept(st, tb, s, n, 0)
        return
    if o == 0:
        put(st, ASIDE_FIRST, get(st, CELL))
    o = copied(s, 0, n, room_of(tb, ASIDE), o)
    new_lines(room_of(tb, ASIDE) + o)
    put(st, ASIDE_SIZE, o + 1)


@apart
def spill(st: int, tb: int) -> None:
    """Put what stands aside into the view, as lines of their own."""
    n = get(st, ASIDE_SIZE)
    if n:
        put(st, ASIDE_SIZE, 0)
        put(st, CELL, get(st, ASIDE_FIRST))
        new_lines(room_of(tb, ASIDE) + n)
        view(st, tb, room_of(tb, ASIDE) - 1, n + 1)


@apart
def view(st: int, tb: int, s: int, n: int) -> None:
    """Add to the view what was made of the cell, and note for every 64 bytes of it what they were made of."""
    if get(st, VIEW_SIZE) + n > 2 * STRETCH:
        show(st, tb)
    o = get(st, VIEW_SIZE)
    origins = st + 8 * MAPS
    last = get(st, MAPPED)
    if o >> 6 <= last:
        put(origins, 2 * (o >> 6), min(get(origins, 2 * (o >> 6)), get(st, CELL)))
        put(origins, 2 * (o >> 6) + 1, get(st, CELL_END))
    end = copied(s, 0, n, room_of(tb, VIEWED), o)
    while last < end >> 6:
        last += 1
        put(origins, 2 * last, get(st, CELL))
        put(origins, 2 * last + 1, get(st, CELL_END))
    put(st, MAPPED, last)
    put(st, VIEW_SIZE, end)


@apart
def show(st: int, tb: int) -> None:
    """Sweep the view, unless it is what stands, and begin another."""
    if get(st, VIEW_CHANGED):
        close(room_of(tb, VIEWED), get(st, VIEW_SIZE))
        swept(st, tb, room_of(tb, VIEWED), get(st, VIEW_SIZE), 1)
    begin(st)


@apart
def swept(st: int, tb: int, at: int, n: int, mapped: int) -> None:
    """Sweep a text that something stands for, and tell of what it found between which places of the stretch."""
    fresh(st)
    known = get(st, OUT)
    sweep(st, tb, at - LEAD, LEAD, LEAD + n, LEAD)
    for k in range(known, get(st, OUT)):
        row = OUTS + 4 * k
        start = get(st, row + 1) - LEAD
        end = get(st, row + 2) - LEAD
        put(st, row + 1, origin(st, start, 0, mapped))
        put(st, row + 2, origin(st, end, 1, mapped))
    for k in range(get(st, HARD)):
        noted = get(st, ODD_NOTED)
        if noted >= MOST_HARD:
            put(st, FAILED, 1)
            return
        start = get(st, HARDS + 2 * k) - LEAD
        end = get(st, HARDS + 2 * k + 1) - LEAD
        put(st, ODDS + 2 * noted, origin(st, start, 0, mapped))
        put(st, ODDS + 2 * noted + 1, origin(st, end, 1, mapped))
        put(st, ODD_NOTED, noted + 1)
    put(st, HARD, 0)


@inner
def origin(st: int, place: int, end: int, mapped: int) -> int:
    """Give where what was made into a place of a view begins or ends."""
    if mapped:
        return int(get(st, FIRST) + get(st, MAPS + 2 * (max(0, place) >> 6) + end))
    return int(get(st, FIRST) + get(st, CELL + end))


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
