"""Encodings of text tables: told from the bytes, and seen as code units so that structure can be found."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from canary.errors import OutsideError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Units = npt.NDArray[np.uint8]
    Places = npt.NDArray[np.int64]

# GB18030: trail bytes of two-byte characters may be ASCII letters or | { } \ [ ] ^ ~ ` @,
# those of four-byte ones digits; never a quote, newline, tab, comma or semicolon.
_GB_RUNS = re.compile(rb"(?:[\x81-\xfe](?:[\x30-\x39][\x81-\xfe][\x30-\x39]|[\x40-\xfe]))+")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE = 0xFF  # stands for every unit that is no ASCII character


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by its codec's name, and the byte order mark that the file begins with (empty for none)."""

    name: str = "utf-8"
    bom: bytes = b""

    @property
    def unit(self) -> int:
        """Give the bytes of one code unit."""
        return 2 if self.name.startswith("utf-16") else 1

    def decode(self, data: bytes) -> str:
        """Decode whole records; raises UnicodeError."""
        return data.decode(self.name)

    def encode(self, text: str) -> bytes:
        """Encode text; raises OutsideError where it does not fit."""
        try:
            return text.encode(self.name)
        except UnicodeEncodeError:
            raise OutsideError(
                f"a value cannot be written in {self.name}", "convert the input to UTF-8 first"
            ) from None

    def shape(self, data: bytes, trails: bool = True) -> bytes:
        """Give one byte for every code unit: ASCII as it is, anything else ≥ 0x80.

        `trails`: whether ASCII bytes that are the second half of a GB18030 character have to be hidden.
        """
        if self.unit == 2:
            return self._narrow(data)
        if self.name == "gb18030" and trails:
            return _GB_RUNS.sub(lambda run: b"\xff" * len(run[0]), data)
        return data

    def _narrow(self, data: bytes) -> bytes:
        import numpy as np

        kind = "<u2" if self.name == "utf-16-le" else ">u2"
        units = np.frombuffer(data, kind, len(data) // 2)
        return bytes(np.where(units < 0x80, units, _WIDE).astype(np.uint8).tobytes())


def as_units(shape: bytes) -> Units:
    """See the shape of some text as an array."""
    import numpy as np

    return np.frombuffer(shape, np.uint8)


_STRIP = 1 << 18  # comparing in strips keeps the intermediate in the processor's cache


def places(units: Units, value: int) -> Places:
    """Find where a unit stands."""
    import numpy as np

    strips = range(0, len(units), _STRIP)
    found = [np.flatnonzero(units[at : at + _STRIP] == value) + at for at in strips]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def detect(sample: bytes, whole: bool, path: Path) -> Encoding:
    """Tell the encoding of text from a sample (`whole`: the sample is all there is).

    Raises OutsideError where it is none of UTF-8, GB18030 and UTF-16, or no text at all.
    """
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return _checked(Encoding(name, bom), sample, whole, path)
    if b"\0" in sample:
        return _checked(Encoding(_wide_without_mark(sample, path)), sample, whole, path)
    for name in ("utf-8", "gb18030"):
        if _fits(sample, name, whole):
            return _checked(Encoding(name), sample, whole, path)
    raise OutsideError(
        f"{path} is neither UTF-8, GB18030 nor UTF-16 text",
        "convert it to UTF-8, for example with iconv -t UTF-8",
    )


def _wide_without_mark(sample: bytes, path: Path) -> str:
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for name, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if high * 100 >= len(sample) and high > 4 * low:  # an ASCII character has its zero in the high byte
            return name
    raise binary(path)


def binary(path: Path) -> OutsideError:
    """Tell that a file is no text."""
    return OutsideError(
        f"{path} is no table: it holds binary data", "give a CSV, JSON, Parquet, XLSX or SQL file"
    )


def _fits(sample: bytes, name: str, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(sample, whole)
    except UnicodeDecodeError:
        return False
    return True


_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def _checked(encoding: Encoding, sample: bytes, whole: bool, path: Path) -> Encoding:
    """Refuse text with many control characters, and text that breaks its own byte order mark's promise."""
    if not _fits(sample[len(encoding.bom) :], encoding.name, whole):
        raise OutsideError(
            f"{path} is marked as {encoding.name} but holds other bytes", "convert it to UTF-8 first"
        )
    text = sample[len(encoding.bom) :].decode(encoding.name, "ignore")
    controls = len(_CONTROLS.findall(text))
    if controls > 8 and controls * 10 > len(text):
        raise binary(path)
    return encoding
