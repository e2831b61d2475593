"""What the kernel works with: its tables, the room it writes to, and what its numbers mean."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from canary.keys import Keys
from canary.native import inner
from canary.scan.records import CSV, LINES_OF_TABLE, Layout
from canary.scan.records import SQL as IN_SQL
from canary.scan.signs import GB_COLUMNS, GB_ROWS, NAMED, classes, entities, folds, gb_pairs, tables, western

PHONE: Final = 1
CODE: Final = 2
EMAIL: Final = 3
HASH: Final = 4
FORMS: Final = ("", "phone", "code", "email", "hash", "address", "name_address")

SHAPE_HASH: Final = 0
SHAPE_MOBILE: Final = 1
SHAPE_ADDRESS: Final = 2  # + 1: with the name
SHAPE_PHONE: Final = 10  # + length
SHAPE_EMAIL: Final = 40  # + class of the domain
SHAPE_CODE: Final = 100  # + length
SHAPES: Final = 256
DOMAINS: Final = 16
SHAPE_NAMES: Final[dict[int, str]] = {
    SHAPE_HASH: "hash",
    SHAPE_MOBILE: "phone:mobile",
    SHAPE_ADDRESS: "address",
    SHAPE_ADDRESS + 1: "name_address",
    **{SHAPE_PHONE + length: f"phone:{length}" for length in range(5, 16)},
    **{SHAPE_EMAIL + number: f"email:{number}" for number in range(DOMAINS)},
    **{SHAPE_CODE + length: f"code:{length}" for length in range(65)},
}
SHAPE_IDS: Final = {name: number for number, name in SHAPE_NAMES.items()}

# How a text is divided.
PROSE, LINES, QUOTED, SQL, JSON = range(5)

KIND: Final = 0  # 1 digit, 2 letter
MARK: Final = 1  # between groups of a number
B64: Final = 2  # value + 1 in base64
NONWORD: Final = 3

CAPACITY: Final = 160  # candidates held before they are keyed
SLOT: Final = 32  # bytes of a value as it is encrypted
KEY: Final = 208  # eleven round keys and two sub-keys
PER_SHAPE: Final = 4096  # registers, by which the distinct candidates of a shape are estimated
MOST_SHAPES: Final = 64  # that pairs are counted of; what comes then shares the last
LIST_SIZE: Final = 32  # candidates of a record that are compared with those of the one before
MOST_OUT: Final = 1 << 16
MOST_HARD: Final = 1 << 16
MOST_STARTS: Final = 1 << 18
MOST_PLACES: Final = 1 << 18
LONGEST: Final = 1 << 23  # bytes of a text
RING: Final = 4096
GROUPS: Final = 4096
LEAD: Final = 64  # new lines before a text
MASK_ROWS: Final = 24  # at most, of what bytes are, and of what may start at them
BLOCKS: Final = 32  # of 64 bytes, whose masks are made at once
BEFORE: Final = (
    8  # words before the first block of a row of masks; one block stands there, and one behind the last
)
ROW: Final = BEFORE + BLOCKS + 8
STRETCH: Final = 1 << 18  # bytes of a stretch that is decoded at once
FOLDED: Final = 0x20000  # characters that a table says what they stand for
ENTITY: Final = len(NAMED)
PAD: Final = 192  # and behind it: the kernel looks ahead
ROOM: Final = (
    LEAD + 2 * STRETCH + 2 * PAD
)  # of a text that is decoded: a few signs take more bytes than what they are of
STANDING, ONE, OTHER, UNQUOTED, VIEWED, ASIDE, UNPACKED, TEXTS = (
    *range(7),
    9,
)  # what the rooms hold; those of base64, the innermost first, are the last
NESTING: Final = 3  # base64 within base64
MORE_ROOM: Final = 1 << 20  # of the outermost
MAP_SIZE: Final = 2 * (ROOM // 64 + 16)


def _places(first: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Lay rooms out one behind the other; the last place is where they end."""
    return tuple(accumulate(sizes, initial=first))


# The kernel's numbers: single ones, then rooms.
(
    HELD, OUT, HARD, STARTS, FAILED, ACTIVE, NAMES, FILLED, RING_FIRST, RING_LAST, MODE, DONE, SPACED, CHAINED, SPLIT,
    PACKED, BLOCK_NUMBER, LINES_OPEN, BLOOM, BLOOM_SHIFT, LISTED, LAST_LISTED, REPEATS, LAST_NAMES, PLACING, PLACED,
    WIDE_LAST, ODD_NOTED, VIEW, LIST_SUM, LAST_SUM, UNFOLDING, CANNOT, PACK_NOTED, PHONES, LEAST_CODE, APART, SKIP,
    END, OPEN_NAMES, OPEN_FULL, OPEN_QUOTES, KNOWN,
    KNOWN_SIZE, NEWER, NEWER_SIZE, RESULT, SIZE, VERSIONS, EDGES, VIEW_SIZE, VIEW_CHANGED, MAPPED, ASIDE_SIZE,
    ASIDE_FIRST, LINK, LINK_FIRST, LINK_STEPS, LINKED, CELL, CELL_END, FIRST, TIME, STEPS_TAKEN, LEFT, WHOLES, SINGLE,
) = range(67)  # fmt: skip
(
    META, HASHES, STATE, IDS, KINDS_OF, COUNTS, PAIRS, RINGS, GROUPED, OUTS, HARDS, SUMS, BEGINS, LIST, LAST_LIST,
    PLACES, ODDS, CLASSED, DERIVED, ASKED, MAPS, PACKS, LEFTS, NUMBERS,
) = _places(
    SINGLE,
    (2 * CAPACITY, CAPACITY, 2, SHAPES, MOST_SHAPES, MOST_SHAPES, MOST_SHAPES * MOST_SHAPES, 2 * RING,
     2 * GROUPS, 4 * MOST_OUT, 2 * MOST_HARD, LONGEST // 64 + 8, MOST_STARTS, LIST_SIZE, LIST_SIZE, 2 * MOST_PLACES,
     2 * MOST_HARD, MASK_ROWS * ROW, MASK_ROWS * ROW, 8, MAP_SIZE, 2 * MOST_HARD,
     2 * MOST_HARD),
)  # fmt: skip
# Its bytes: tables first.
(
    KINDS,
    CLASSES,
    KEYS,
    WANT,
    ISSUED,
    SLOTS,
    LONG_VALUE,
    CANON,
    FOLDS,
    ENTITIES,
    WESTERN,
    GB_PAIRS,
    ROOMS,
    REGISTERS,
    BYTES,
) = _places(
    0,
    (
        1024,
        0x110000,
        len(FORMS) * KEY,
        16,
        SHAPES,
        CAPACITY * SLOT,
        80,
        512,
        4 * FOLDED,
        16 * ENTITY,
        256,
        4 * GB_ROWS * GB_COLUMNS,
        TEXTS * ROOM + MORE_ROOM,
        SHAPES * PER_SHAPE,
    ),
)


@inner
def room_of(tb: int, number: int) -> int:
    """Give where the text of a room begins."""
    return tb + ROOMS + number * ROOM + LEAD


def key_table(keys: Keys) -> Any:
    """Lay out the keys of all forms as the kernel reads them."""
    import numpy as np

    made = np.zeros(len(FORMS) * KEY, np.uint8)
    for number, form in enumerate(FORMS[: EMAIL + 1]):
        if form:
            laid = keys.scan_mac(form).expanded
            made[number * KEY : (number + 1) * KEY] = np.frombuffer(laid, np.uint8)
    return made


class Work(NamedTuple):
    """The numbers and bytes of one kernel, and the Bloom filter and sorted keys that it looks into."""

    st: Any
    tb: Any
    bloom: Any
    known: Sequence[Any]


def work_of(
    keys: Any,
    forms: frozenset[str],
    bloom: Any,
    shapes: Collection[str] | None = None,
    known: Sequence[Any] = (),
) -> Work:
    """Make room for a kernel that looks for some forms, and where `shapes` are given, for values of these alone.

    It gives what may be among the `known` keys, of which there are one or two sorted arrays; without any what the Bloom
    filter does not turn away.
    """
    import numpy as np

    st = np.empty(NUMBERS, np.int64)
    for first, last in (
        (0, OUTS),
        (LIST, PLACES),
        (CLASSED, MAPS),
    ):  # rooms that are written before they are read stay
        st[first:last] = 0
    tb = np.empty(BYTES, np.uint8)
    tb[REGISTERS:] = 0
    tb[KINDS:CLASSES] = tables().ravel()
    tb[CLASSES:KEYS] = classes()
    tb[KEYS : KEYS + len(keys)] = keys
    tb[FOLDS:ENTITIES] = folds()
    tb[ENTITIES:WESTERN] = entities()
    tb[WESTERN:GB_PAIRS] = western()
    tb[GB_PAIRS:ROOMS] = gb_pairs()
    for number in range(TEXTS):
        tb[ROOMS + number * ROOM : ROOMS + number * ROOM + LEAD] = 10
    tb[WANT:ISSUED] = 0
    tb[WANT : WANT + len(FORMS)] = [form in forms or form == "hash" for form in FORMS]
    tb[ISSUED : ISSUED + SHAPES] = shapes is None
    for shape, name in SHAPE_NAMES.items():
        tb[ISSUED + shape] = shapes is None or is_among(name, shapes)
    st[LEAST_CODE] = next((size for size in range(5, 65) if tb[ISSUED + SHAPE_CODE + size]), 5)
    st[PHONES] = sum(
        1 << digits
        for digits in range(5, 16)
        if tb[ISSUED + SHAPE_PHONE + digits] or (digits == 11 and tb[ISSUED + SHAPE_MOBILE])
    )
    st[ASKED : ASKED + 8] = _asked(forms, int(st[LEAST_CODE]), int(st[PHONES]))
    st[BLOOM], st[BLOOM_SHIFT] = bloom.ctypes.data, 65 - len(bloom).bit_length()
    known = [np.ascontiguousarray(each) for each in known]
    for place, each in zip((KNOWN, NEWER), known, strict=False):
        st[place], st[place + 1] = each.ctypes.data, len(each)
    return Work(st, tb, bloom, known)


def _asked(forms: frozenset[str], code: int, phones: int) -> list[int]:
    """Give what is asked of masks (`sweepmasks`): what is shorter than any value that was issued starts nothing."""
    phone = (phones & -phones).bit_length() - 1 if phones else 16
    least = min(16, code if "code" in forms else 16, phone if "phone" in forms else 16)
    joined = min(16, code + 1)
    lengths = [each for size in (least, joined) for each in (min(size, 8) - 4, size - min(size, 8))]
    return [*lengths, *(-(form in forms) for form in ("code", "phone", "email")), 0]


def is_among(shape: str, shapes: Collection[str]) -> bool:
    """Tell whether a shape is one of some, of which mail addresses may be one whatever their domain."""
    return shape in shapes or shape.partition(":")[0] in shapes


def mode_of(layout: Layout) -> int:
    """Give the number of a layout."""
    if not layout.is_table:
        return PROSE
    return {LINES_OF_TABLE: LINES, CSV: QUOTED, IN_SQL: SQL}.get(layout, JSON)
