"""The input of a tagging and the copies it makes, written whole before anything is recorded."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from canary.errors import OutsideError, UsageError
from canary.files import AtomicFile, Insertion, Sink, open_table, sha256_file, spool_stdin
from canary.steps.planned import Planned

if TYPE_CHECKING:
    from canary.files import Marking, Table

COMPRESSED = (".gz", ".zst")


@dataclass(frozen=True)
class Source:
    """An opened input: its table, what digests it, and how a person knows it."""

    table: Table
    name: str
    stem: str
    suffix: str
    digest: Callable[[], str]
    path: Path | None = None
    stamp: tuple[int, ...] | None = None  # of the file when it was opened

    @cached_property
    def sha256(self) -> str:
        """The digest of the input (hex); asked for after a reading, it costs no other one."""
        return self.digest()

    @property
    def headings(self) -> tuple[str, ...]:
        """The headings of the table."""
        return tuple(self.table.headings)

    @property
    def format(self) -> str:
        """The format as a release records it."""
        return self.table.format.label()

    def check_unchanged(self) -> None:
        """Raise OutsideError where the input is not what it was when it was opened: it was read more than once."""
        if self.path is not None and _stamp(self.path) != self.stamp:
            raise OutsideError(f"{self.name} changed while it was read", "run the command again")

    def check_outputs(self, outputs: Sequence[str]) -> None:
        """Refuse an output that is the input itself, and two that are the same."""
        places = [Path(one).resolve() for one in outputs if one != "-"]
        for place in places:
            if self.path is not None and place == self.path.resolve():
                raise UsageError(f"the output {place} is the input itself", "choose another --output")
            suffix = _suffix(place)
            if suffix and self.suffix and suffix.lower() != self.suffix.lower():
                raise UsageError(
                    f"the copy of a {self.suffix} table cannot be written as {suffix}",
                    f"end --output in {self.suffix}: a copy keeps the format of its input",
                )


@dataclass(frozen=True)
class Written:
    """What writing the copies gave, one number and digest a copy."""

    rows_in: int
    rows_out: tuple[int, ...]
    sha256: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Copies(Protocol):
    """Where copies go: files, or tables in memory."""

    outputs: Sequence[str]

    def write(self, source: Source, plans: Sequence[Planned], marking: Marking | None = None) -> Written:
        """Write every copy, in one reading, to where nobody sees it yet."""
        ...

    def check(self, *, force: bool) -> None:
        """Refuse to replace something else."""
        ...

    def commit(self) -> None:
        """Bring every copy to its place."""
        ...

    def discard(self) -> None:
        """Take away what is not committed."""
        ...


def open_source(stack: ExitStack, given: str, table: str | None) -> Source:
    """Open an input table; standard input is spooled to a temporary file first."""
    if given != "-":
        path = Path(given)
        stamp = _stamp(path)
        opened = open_table(path, table=table)
        opened.digest_while_reading()
        return Source(opened, given, _stem(path), _suffix(path), opened.sha256, path, stamp)
    import tempfile

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-stdin-")))
    spooled = spool_stdin(sys.stdin.buffer, folder)
    opened = open_table(spooled, table=table)
    opened.digest_while_reading()
    return Source(opened, "-", "stdin", "." + opened.format.label(), opened.sha256)


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Tell a state of a file from a later one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _suffix(path: Path) -> str:
    if path.suffix.lower() in COMPRESSED:
        return "".join(path.suffixes[-2:])
    return path.suffix


def _stem(path: Path) -> str:
    return path.name.removesuffix(_suffix(path))


class FileCopies:
    """Copies that go to files by atomic rename, or to standard output."""

    def __init__(self, stack: ExitStack, outputs: Sequence[str], *, make_folder: bool = False) -> None:
        self.outputs = outputs
        self._outer = stack
        self._make_folder = make_folder
        self._open = ExitStack()
        self._files: list[AtomicFile] = []
        stack.callback(self.discard)

    def write(self, source: Source, plans: Sequence[Planned], marking: Marking | None = None) -> Written:
        """Write every copy to its temporary file in one reading of the source."""
        self._files = [self._open.enter_context(AtomicFile(self._place(one))) for one in self.outputs]
        sinks = [
            Sink(file, [Insertion(at, canary.row) for at, canary in plan.in_order()])
            for file, plan in zip(self._files, plans, strict=True)
        ]
        report = source.table.rewrite(sinks, marking)
        digests = tuple(file.sha256 for file in self._files)
        return Written(report.rows_in, report.rows_out, digests, report.warnings)

    def leave_out(self, source: Source, numbers: Sequence[int]) -> Written:
        """Write the one copy, without the rows of these rising numbers, to its temporary file."""
        self._files = [self._open.enter_context(AtomicFile(self._place(one))) for one in self.outputs]
        report = source.table.without(self._files[0], numbers)
        return Written(report.rows_in, report.rows_out, (self._files[0].sha256,), report.warnings)

    def _place(self, output: str) -> Path:
        if output == "-":
            import tempfile

            return Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="canary-out-"))) / "copy"
        path = Path(output)
        if self._make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def check(self, *, force: bool) -> None:
        """Refuse to replace another file; an identical one is no obstacle."""
        for output, file in zip(self.outputs, self._files, strict=True):
            path = Path(output)
            if output == "-" or force or not path.exists():
                continue
            if not _holds(path, file):
                raise UsageError(f"{path} exists already", "choose another --output or give --force")

    def commit(self) -> None:
        """Bring every copy to its place."""
        for output, file in zip(self.outputs, self._files, strict=True):
            path = Path(output)
            if output != "-" and _holds(path, file):
                continue
            file.commit()
            if output == "-":
                _to_stdout(file.path)
        self.discard()

    def discard(self) -> None:
        """Take away what is not committed."""
        self._files = []
        self._open.close()


def _holds(path: Path, file: AtomicFile) -> bool:
    """Tell whether a file already is what was written; one of another size is not digested."""
    return path.is_file() and path.stat().st_size == file.tell() and sha256_file(path) == file.sha256


def _to_stdout(path: Path) -> None:
    try:
        with path.open("rb") as copy:
            shutil.copyfileobj(copy, sys.stdout.buffer)
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutsideError(
            "standard output was closed before the copy was out",
            "make the same call again: it gives the same release",
        ) from None
