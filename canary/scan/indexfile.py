"""The index on disk: keyed values alone, so that it tells no identifier; whatever is amiss with it, it is made anew."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from canary.keys import Keys
from canary.scan.identifiers import Issued, Rows
from canary.scan.index import ArrayIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAGIC: Final = b"canary scan index 2\n"
MARK: Final = 32  # bytes of a mark
MOST_ADDED: Final = 1 << 16  # identifiers behind the sorted ones, above which all are sorted anew
_ROW: Final = [("key", "<i8"), ("serial", "<i8"), ("bits", "<f8"), ("form", "S16")]


@dataclass(frozen=True, slots=True)
class Stored:
    """An index, up to which serial it holds how many canaries, and the id of the last of them.

    The id is random: a registry that was put back from a backup may have issued as many again, but others.
    """

    index: ArrayIndex
    newest: int
    issued: int
    last: str


class IndexFile:
    """The file of an index and, beside it, that of what was issued since; both readable by their owner alone."""

    def __init__(self, path: Path, keys: Keys) -> None:
        self._path = path
        self._added = path.with_name(path.name + ".added")
        self._key = keys.derive("scan/index")

    def load(self) -> Stored | None:
        """Read the index, None where there is none that can be trusted."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return None
        if not data.startswith(MAGIC) or self._mark(data[:-MARK]) != data[-MARK:]:
            return None
        head, _, body = data[len(MAGIC) : -MARK].partition(b"\n")
        told = json.loads(head)
        index = _index_of(told["forms"], body)
        stored = Stored(index, told["newest"], told["issued"], told["last"])
        return self._with_added(stored, data[-MARK:])

    def save(self, stored: Stored) -> None:
        """Write the index, whole or not at all."""
        index = stored.index
        index = index.settled()
        told = {**_extent(stored), "forms": dict(index.forms)}
        data = MAGIC + json.dumps(told).encode() + b"\n" + index.keys.tobytes() + index.serials.tobytes()
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        _write(temporary, data + self._mark(data), os.O_TRUNC)
        temporary.replace(self._path)
        self._added.unlink(missing_ok=True)

    def add(self, rows: Rows, before: Stored, grown: Stored) -> None:
        """Write some more identifiers behind the index `before`; where they become many, all of it anew."""
        import numpy as np

        made = np.zeros(len(rows.keys), _ROW)
        made["key"], made["serial"], made["bits"] = rows.keys, rows.serials, rows.bits
        made["form"] = np.array([name.encode() for name in rows.names], "S16")[rows.forms]
        told = {"before": before.last, **_extent(grown), "rows": len(made)}
        block = json.dumps(told).encode() + b"\n" + made.tobytes()
        _write(self._added, block + self._mark(self._base_mark() + block), os.O_APPEND)
        if self._added.stat().st_size > MOST_ADDED * made.itemsize:
            self.save(grown)

    def _base_mark(self) -> bytes:
        with self._path.open("rb") as file:
            file.seek(-MARK, os.SEEK_END)
            return file.read()

    def _mark(self, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=self._key, digest_size=MARK).digest()

    def _with_added(self, stored: Stored, mark: bytes) -> Stored:
        """Add what was issued since, up to the first block that is not of this index or was not written whole."""
        try:
            data = self._added.read_bytes()
        except OSError:
            return stored
        found, extent = list[Rows](), _extent(stored)
        while data:
            head, _, rest = data.partition(b"\n")
            try:
                told = json.loads(head)
                size = int(told["rows"]) * _row_size()
            except (ValueError, KeyError, TypeError):
                break
            block = data[: len(head) + 1 + size]
            if self._mark(mark + block) != rest[size : size + MARK]:
                break
            if told["before"] != extent["last"]:  # two processes wrote the same
                break
            found.append(_rows_in(rest[:size]))
            extent = {name: told[name] for name in extent}
            data = rest[size + MARK :]
        return Stored(stored.index.added(Rows.joined(found)), **extent) if found else stored


def _extent(stored: Stored) -> dict[str, Any]:
    """Tell how far an index goes."""
    return {"newest": stored.newest, "issued": stored.issued, "last": stored.last}


def _write(path: Path, data: bytes, how: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _index_of(forms: Any, body: bytes) -> ArrayIndex:
    import numpy as np

    both: NDArray[np.int64] = np.frombuffer(body, "<i8")
    half = len(both) // 2
    return ArrayIndex(both[:half], both[half:], {form: Issued(*each) for form, each in forms.items()})


def _row_size() -> int:
    import numpy as np

    return np.dtype(_ROW).itemsize


def _rows_in(data: bytes) -> Rows:
    import numpy as np

    made = np.frombuffer(data, _ROW)
    forms = [form.decode() for form in made["form"].tolist()]
    return Rows.of(made["key"], made["serial"], forms, made["bits"])
