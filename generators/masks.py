"""The shape of a record number: literal ends, digits, an embedded date, a check digit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from canary.fields.spans import Spans, numbers_of
from canary.generators.codes import luhn_check, s10_check
from canary.generators.draws import bits_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

MAX_DIGITS = 18  # what 64 bits hold
FIT = 0.98  # share of a sample that a mask must read
SURE_CHECK = 50  # values that must all carry a check digit before it is believed
_CODE = re.compile(r"(\D*)(\d+)(\D*)")
_DAY8 = re.compile(r"(?:19[5-9]\d|20[0-4]\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_DAY6 = re.compile(r"(?:1[5-9]|2\d|3[0-5])(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class KeyMask:
    """Numbers of one shape: `prefix`, digits, `suffix`.

    `width` digits are padded with zeros (None: as many as needed); `serial` low digits follow an embedded date
    (None: no date); `check` names the check digit behind the number ('', 's10' or 'luhn').
    """

    prefix: str = ""
    suffix: str = ""
    width: int | None = None
    serial: int | None = None
    check: str = ""

    def write(self, number: int) -> str:
        """Write a number in this shape."""
        digits = f"{number:0{self.width or 1}d}"
        return f"{self.prefix}{digits}{_CHECKS[self.check](digits) if self.check else ''}{self.suffix}"

    def read(self, text: str) -> int | None:
        """Read a number of this shape, None where the text is spelt otherwise."""
        body = text[len(self.prefix) : len(text) - len(self.suffix)]
        digits = body[:-1] if self.check else body
        if not digits.isascii() or not digits.isdigit() or len(digits) > MAX_DIGITS:
            return None
        return int(digits) if self.write(int(digits)) == text else None

    def block(self, number: int) -> int:
        """Give what must stay as it is when a number changes: the embedded date, or 0."""
        return number // 10**self.serial if self.serial is not None else 0

    def read_spans(self, column: Spans) -> NDArray[np.int64] | None:
        """Read a column where it lies; None where a text is not of this shape (check digits are not looked at)."""
        return numbers_of(column, self.prefix, self.suffix, self.width, skip=bool(self.check))

    def read_all(self, column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Read a column of texts: numbers (0 where unreadable) and which of them are of this shape."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        fits = column.is_valid()
        body = column
        if self.prefix or self.suffix or self.check:
            stop = -(len(self.suffix) + bool(self.check)) or None
            if self.prefix:
                fits = pc.and_(fits, pc.starts_with(column, self.prefix).fill_null(False))
            if self.suffix:
                fits = pc.and_(fits, pc.ends_with(column, self.suffix).fill_null(False))
            body = pc.utf8_slice_codeunits(column, len(self.prefix), stop)
        if self.width is not None:
            fits = pc.and_(fits, pc.equal(pc.binary_length(body), self.width).fill_null(False))
        numbers, fits = _integers(body, fits)
        return (
            pc.fill_null(numbers, pa.scalar(0, pa.int64()))
            .to_numpy(zero_copy_only=False)
            .astype(np.int64, copy=False),
            fits.to_numpy(zero_copy_only=False).astype(bool, copy=False),
        )


_CHECKS = {"s10": s10_check, "luhn": luhn_check}


def _integers(body: pa.Array, fits: pa.Array) -> tuple[pa.Array, pa.Array]:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        numbers = pc.cast(body, pa.int64())
    except pa.ArrowInvalid:
        digits = pc.match_substring_regex(body, r"^[0-9]{1,18}$").fill_null(False)
        numbers = pc.cast(pc.if_else(digits, body, None), pa.int64())
    fits = pc.and_(fits, pc.greater_equal(numbers, 0).fill_null(False))
    return numbers, fits


def learn_mask(values: Sequence[str | None]) -> KeyMask | None:
    """Find the shape of a column of numbers, None where most are not one row of at most 18 changing digits."""
    filled = [value for value in values if value]
    parts = [found.groups() for value in filled if (found := _CODE.fullmatch(value)) and value.isascii()]
    if len(parts) < FIT * len(filled) or not parts:
        return None
    prefix, suffix = _common([part[0] for part in parts]), _common([part[2] for part in parts])
    digits = [body for head, body, tail in parts if (head, tail) == (prefix, suffix)]
    if len(digits) < FIT * len(filled):
        return None
    return _mask_of(prefix, suffix, digits)


def _common(texts: Sequence[str]) -> str:
    return max(set(texts), key=texts.count)


def _mask_of(prefix: str, suffix: str, digits: Sequence[str]) -> KeyMask | None:
    lengths = {len(body) for body in digits}
    padded = any(body[0] == "0" and len(body) > 1 for body in digits)
    if len(lengths) > 1:
        return None if padded or max(lengths) > MAX_DIGITS else KeyMask(prefix, suffix)
    width = lengths.pop()
    long = width > MAX_DIGITS
    while width > MAX_DIGITS and len({body[0] for body in digits}) == 1:
        prefix, digits, width = prefix + digits[0][0], [body[1:] for body in digits], width - 1
    if width > MAX_DIGITS:
        return None
    mask = _checked(KeyMask(prefix, suffix, width), digits)
    serial = _serial(digits)
    if padded or long or mask.check or serial is not None:
        return replace(mask, serial=serial)
    return KeyMask(prefix, suffix)  # of one length so far; later rows may have more digits


def _checked(mask: KeyMask, digits: Sequence[str]) -> KeyMask:
    """Tell a check digit from a free one, where enough values carry it."""
    if len(set(digits)) < SURE_CHECK or not mask.width or mask.width < 9:
        return mask
    s10 = (
        mask.width == 9 and re.fullmatch(r"[A-Z]{2}", mask.prefix) and re.fullmatch(r"[A-Z]{2}", mask.suffix)
    )
    for check in ("s10", "luhn") if s10 else ("luhn",):
        if all(_CHECKS[check](body[:-1]) == body[-1] for body in digits):
            return replace(mask, width=mask.width - 1, check=check)
    return mask


def _serial(digits: Sequence[str]) -> int | None:
    """Give how many digits follow an embedded date, None where there is none (a constant one is a literal)."""
    width = len(digits[0])
    for pattern, length in ((_DAY8, 8), (_DAY6, 6)):
        for start in range(min(5, width - length)):
            days = {body[start : start + length] for body in digits}
            if len(days) > 1 and all(pattern.fullmatch(day) for day in days):
                return width - start - length
    return None


@dataclass(frozen=True, slots=True)
class Shape:
    """A code of any other make: what stood at each place of a sample, or, where lengths differ, sample values."""

    places: tuple[str, ...]
    examples: tuple[str, ...]

    @property
    def bits(self) -> float:
        """Give the min-entropy of one draw."""
        if self.places:
            return bits_of(*map(len, self.places))
        return min((bits_of(*[10] * sum(map(str.isdigit, text))) for text in self.examples), default=0.0)

    def draw(self, rng: Random) -> str:
        """Draw a code of this make."""
        if self.places:
            return "".join(rng.choice(place) for place in self.places)
        return re.sub(r"\d", lambda _: rng.choice("0123456789"), rng.choice(self.examples))


def learn_shape(values: Sequence[str | None]) -> Shape | None:
    """Find what stands at each place of a column of codes, None where there is nothing free to draw."""
    filled = [value for value in values if value]
    if not filled:
        return None
    if len({len(value) for value in filled}) == 1:
        shape = Shape(tuple(_alphabet({value[at] for value in filled}) for at in range(len(filled[0]))), ())
    else:
        shape = Shape((), tuple(value for value in filled if any(map(str.isdigit, value))))
    return shape if shape.bits > 0 else None


def _alphabet(seen: set[str]) -> str:
    if len(seen) == 1:
        return "".join(seen)
    for letters in ("0123456789", "0123456789abcdef", "0123456789ABCDEF"):
        if len(seen) > 4 and seen <= set(letters):
            return letters
    return "".join(sorted(seen))
