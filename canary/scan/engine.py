"""The way of one scan: a stream is opened into parts of text, and each is searched."""

from __future__ import annotations

import io
from typing import BinaryIO

from canary.keys import Keys
from canary.model.evidence import Findings, ScanError
from canary.scan.budget import Budget, Spent
from canary.scan.containers import walk
from canary.scan.fast import FastScan
from canary.scan.index import Index, Reader
from canary.scan.parts import Place
from canary.scan.search import Scan

ENGINE = "fast/1"  # changes with what a scan finds: kept findings of another engine are not used again


def scan_bytes(
    data: bytes, name: str, index: Index, reader: Reader, keys: Keys, budget: Budget | None = None
) -> Findings:
    """Find canaries in bytes; containers in them are opened; never raises on what they hold."""
    scan = FastScan(index, reader, keys)
    scan.files = 1
    scan.bytes = len(data)
    scan_stream(io.BytesIO(data), Place(name, packed=len(data)), scan, Spent(budget or Budget()))
    return scan.findings()


def scan_stream(stream: BinaryIO, place: Place, scan: Scan, spent: Spent) -> None:
    """Search every text in a stream; what cannot be read is added to the errors of the scan."""
    for found in walk(stream, place, spent):
        if isinstance(found, ScanError):
            scan.errors.append(found)
        else:
            scan.text(found)
