"""Files, folders and bytes as they are given to a scan."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from canary.keys import Keys
from canary.model.evidence import Findings, ScanError
from canary.scan.budget import Budget, Spent
from canary.scan.engine import scan_stream
from canary.scan.fast import FastScan
from canary.scan.index import Index, Reader
from canary.scan.parts import Place, reason_of
from canary.scan.search import Scan
from canary.scan.watched import UNWATCHED, Watch, Watched


def scan_paths(
    paths: Sequence[Path],
    index: Index,
    reader: Reader,
    keys: Keys,
    budget: Budget | None = None,
    watch: Watch = UNWATCHED,
) -> Findings:
    """Find canaries in files and folders; what cannot be read stands in `errors`, linked folders are not followed."""
    scan = FastScan(index, reader, keys)
    spent = Spent(budget or Budget())
    for path in paths:
        for found in files_in(path):
            if isinstance(found, ScanError):
                scan.errors.append(found)
            else:
                scan_file(found, scan, spent, watch)
    return scan.findings()


def files_in(path: Path) -> Iterator[Path | ScanError]:
    """Give the files of a path in order of their names; FIFOs, devices and linked folders are errors."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield ScanError(str(path), None, reason_of(error))
        return
    if stat.S_ISREG(mode):
        yield path
    elif stat.S_ISDIR(mode):
        yield from _files_of_folder(path)
    else:
        yield ScanError(str(path), None, "not a regular file")


def _files_of_folder(folder: Path) -> Iterator[Path | ScanError]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        yield ScanError(str(folder), None, reason_of(error))
        return
    for path in inside:
        if path.is_symlink() and path.is_dir():
            yield ScanError(str(path), None, "a linked folder is not followed")
        else:
            yield from files_in(path)


def scan_file(path: Path, scan: Scan, spent: Spent, watch: Watch = UNWATCHED) -> None:
    """Search one file; what cannot be read of it is added to the errors of the scan."""
    try:
        with opened(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            scan.files += 1
            scan.bytes += size
            spent.file(size)
            with Watched(stream, watch, size) as watched:
                scan_stream(watched.stream, Place(str(path), packed=size), scan, spent)
    except OSError as error:
        scan.errors.append(ScanError(str(path), None, reason_of(error)))


def opened(path: Path) -> BinaryIO:
    """Open a file that may have been swapped for a FIFO since it was looked at: without waiting, and checked again."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    stream = os.fdopen(handle, "rb")
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        stream.close()
        raise OSError(0, "not a regular file")
    return stream
