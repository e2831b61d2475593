"""What some bytes hold: a glance at them, and whether they are UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from canary.native import Entry, is_native

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

FEW: Final = 1 << 16  # bytes that are looked at without compiled code
BLOCK: Final = 64
_check_wide = Entry("canary.octetwide", "check_wide", 1, ("octetwide.py",))
_glance_wide = Entry("canary.octetwide", "glance_wide", 1, ("octetwide.py",))


class Glance(NamedTuple):
    """Whether some bytes hold what is not ASCII, NUL, and quotes."""

    wide: bool
    nul: bool
    quote: bool


def glance(data: bytes | memoryview) -> Glance:
    """Look at bytes, many of them 64 at a time."""
    if len(data) < FEW or not is_native():
        few = bytes(data)
        return Glance(not few.isascii(), b"\0" in few, b'"' in few)
    import numpy as np

    octets = np.frombuffer(data, np.uint8)
    numbers = np.array([octets.ctypes.data, len(octets), 0, 0, 0], np.int64)
    _glance_wide(numbers.ctypes.data)
    rest = glance(data[len(data) // BLOCK * BLOCK :])
    return Glance(*(bool(one) or two for one, two in zip(numbers[2:].tolist(), rest, strict=True)))


def is_utf8(data: Bytes) -> bool:
    """Tell whether bytes are UTF-8 for sure; False may be wrong where the processor cannot look bytes up."""
    import numpy as np

    scratch = np.zeros(3 * BLOCK, np.uint8)
    numbers = np.array([data.ctypes.data, len(data), scratch.ctypes.data, 0], np.int64)
    _check_wide(numbers.ctypes.data)
    return not numbers[-1]


def is_text(data: bytes | memoryview) -> bool:
    """Tell whether bytes are UTF-8."""
    if len(data) >= FEW and is_native():
        import numpy as np

        if is_utf8(np.frombuffer(data, np.uint8)):
            return True
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
