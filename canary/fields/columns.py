"""Canonical forms of whole columns and their scan keys: texts that are spelt plainly at once, the others one by one."""

from __future__ import annotations

import string
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from canary.fields.canonical import canonical
from canary.fields.roles import form_of
from canary.fields.spans import Spans
from canary.native import Entry, has_cipher

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from canary.cmac import CmacKey

    Ints = NDArray[np.int64]

_CODE: Final = string.digits + string.ascii_letters
_MAIL_MARKS: Final = "._%+-@"
_MAIL: Final = _CODE + _MAIL_MARKS
# For each form what its plain texts are made of, and how letters are written in the canonical form.
_PLAIN: Final = {"code": (_CODE, str.upper), "email": (_MAIL, str.lower)}
FORMS: Final = frozenset(_PLAIN)
_DROPPED: Final = "-_/ "  # what no canonical code has
_JOINTS: Final = f"[{_DROPPED}]"  # they are dropped from codes at once where many have them
_ODD: Final = 0  # stands for every byte that is not plain
_DROP, _MARK = (
    1,
    128,
)  # in the table of compiled code: a byte that is left out, and a mark no mail begins or ends with
_MOST: Final = 1 << 12  # bytes of a text that compiled code keys
_BLOCK: Final = 16

_key_column = Entry("canary.fields.columnwide", "key_column", 1, ("columnwide.py",))


@dataclass(frozen=True, slots=True)
class Texts:
    """Canonical texts of the rows of a column: stretches of `data`, of length 0 where a row has none."""

    data: bytes
    starts: Ints
    lengths: Ints


def keys_of_column(role: str, column: Spans, mac: CmacKey) -> Ints:
    """Give the scan key of each canonical text of a column whose role has the form code or email.

    A row without one has the key of the empty text, which is never issued.
    """
    if not has_cipher():
        whole = canonical_column(role, column.all())
        return mac.of_column(whole.data, whole.starts, whole.lengths)
    keys, odd = _keyed_natively(str(form_of(role)), column, mac)
    if len(odd):
        texts = _one_by_one(role, column.some(odd))
        keys[odd] = mac.of_texts([text.encode() for text in texts])
    return keys


def _keyed_natively(form: str, column: Spans, mac: CmacKey) -> tuple[Ints, Ints]:
    """Give the keys of the plain texts, and the numbers of those that are not plain."""
    import numpy as np

    keys, odd = np.empty(column.count, np.int64), np.empty(column.count, np.int64)
    table, slot = np.frombuffer(_marked_table(form), np.uint8), np.empty(_MOST + 3 * _BLOCK, np.uint8)
    expanded = np.frombuffer(mac.expanded, np.uint8)
    places = [each.ctypes.data for each in (table, expanded, keys, odd, slot)]
    guarded = _MARK if form == "email" else 0
    places[-1] += _BLOCK
    numbers = np.array([*column.numbers(), *places, _MOST, guarded, 0], np.int64)
    _key_column(numbers.ctypes.data)
    return keys, odd[: numbers[-1]]


@cache
def _marked_table(form: str) -> bytes:
    """Write what each byte becomes in a canonical text, as compiled code takes it."""
    table = bytearray(_table(form))
    if form == "code":
        for sign in _DROPPED.encode():
            table[sign] = _DROP
    else:
        for sign in _MAIL_MARKS.encode():
            table[sign] |= _MARK
    return bytes(table)


def canonical_column(role: str, column: pa.Array) -> Texts:
    """Give the canonical texts of a column of texts whose role has the form code or email."""
    import pyarrow as pa
    import pyarrow.compute as pc

    form = str(form_of(role))
    column = pc.fill_null(column.cast(pa.string()), "")
    if form == "code" and pc.match_substring_regex(column.slice(0, 64), _JOINTS).true_count:
        column = pc.replace_substring_regex(column, _JOINTS, "")
    texts = _texts(column)
    plain = replace(texts, data=texts.data.translate(_table(form)))
    odd = _odd_rows(form, plain)
    if not len(odd):
        return plain
    mended = pa.array(_one_by_one(role, column.take(odd)), pa.string())
    texts = _texts(pc.replace_with_mask(column, _mask(odd, len(column)), mended))
    return replace(texts, data=texts.data.upper() if form == "code" else texts.data.lower())


def _one_by_one(role: str, column: pa.Array) -> list[str]:
    return [canonical(role, text) or "" for text in column.to_pylist()]


def _texts(column: pa.Array) -> Texts:
    """Give the texts of a column as they are."""
    import numpy as np

    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    buffer = column.buffers()[2]
    data = bytes(memoryview(buffer)[: offsets[-1]]) if buffer is not None else b""
    return Texts(data, offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64))


@cache
def _table(form: str) -> bytes:
    """Write the plain signs of a form as its canonical texts do, and 0 for every other byte."""
    signs, written = _PLAIN[form]
    return bytes(ord(written(chr(byte))) if chr(byte) in signs else _ODD for byte in range(256))


def _odd_rows(form: str, texts: Texts) -> Ints:
    """Give the rows with a byte that is not plain, rising; of mails also those with a mark at either end."""
    import numpy as np

    filled = np.flatnonzero(texts.lengths)
    if not len(filled):
        return filled
    first, letters = texts.starts[filled], np.frombuffer(texts.data, np.uint8)
    odd = np.empty(0, np.int64)
    if _ODD in texts.data:
        places = np.flatnonzero(letters == _ODD)
        odd = filled[np.searchsorted(first, places[places >= first[0]], "right") - 1]
    if form == "email":
        last = first + texts.lengths[filled] - 1
        odd = np.concatenate([odd, filled[_marks(letters[first]) | _marks(letters[last])]])
    return np.unique(odd)


def _marks(letters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which letters of plain mails are neither digits nor letters."""
    marks: NDArray[np.bool_] = (letters < ord("0")) | (letters == ord("@")) | (letters == ord("_"))
    return marks


def _mask(rows: Ints, count: int) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    mask = np.zeros(count, bool)
    mask[rows] = True
    return pa.array(mask)
