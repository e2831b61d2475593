"""The way of one scan: a stream is opened into parts of text, and each is searched."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

from canary.keys import Keys
from canary.model.evidence import Findings, Hit, ScanError
from canary.scan.budget import Budget, Spent
from canary.scan.containers import walk
from canary.scan.fast import FastScan
from canary.scan.index import Index, Reader
from canary.scan.parts import Place, TextPart
from canary.scan.search import Scan

STRETCH = 1 << 40  # records that a stretch of a file may have
ENGINE = "fast/5"  # changes with what a scan finds: kept findings of another engine are not used again


def scan_bytes(
    data: bytes, name: str, index: Index, reader: Reader, keys: Keys, budget: Budget | None = None
) -> Findings:
    """Find canaries in bytes; containers in them are opened; never raises on what they hold."""
    scan = FastScan(index, reader, keys)
    scan.files = 1
    scan.bytes = len(data)
    spent = Spent(budget or Budget())
    spent.file(len(data))
    scan_stream(io.BytesIO(data), Place(name, packed=len(data)), scan, spent)
    return scan.findings()


def scan_stream(stream: BinaryIO, place: Place, scan: Scan, spent: Spent) -> None:
    """Search every text in a stream; what cannot be read is added to the errors of the scan."""
    for found in walk(stream, place, spent):
        if isinstance(found, ScanError):
            scan.errors.append(found)
        else:
            read_part(found, scan)


def read_part(part: TextPart, scan: Scan) -> None:
    """Search one text; records of different stretches of a file never have one number."""
    before = len(scan.hits)
    scan.text(part)
    if part.stretch:
        scan.hits[before:] = apart(scan.hits[before:], part.stretch)


def apart(hits: Sequence[Hit], stretch: int) -> list[Hit]:
    """Number the records of a stretch of a file by themselves."""
    return [replace(hit, record=hit.record + stretch * STRETCH) for hit in hits]
