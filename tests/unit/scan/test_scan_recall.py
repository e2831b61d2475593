"""Every class of spelling is found in every encoding and container: all of it in one file, made by other programs.

`benchmarks/recall.py` scans every container in every encoding; here a container must give the text that was put in.
"""

from __future__ import annotations

import io

import pytest

from canary.model.evidence import ScanError
from canary.scan.budget import Budget, Spent
from canary.scan.containers import walk
from canary.scan.engine import scan_stream
from canary.scan.fast import FastScan
from canary.scan.parts import Place
from tests.packed import ENCODINGS, PACKS, TABLES
from tests.recall import OWN, files, issued, missed, text_of
from tests.scanlab import KEYS, Lab
from tests.spelt import WAYS

WHOLE = [(container, encoding) for container, encoding, _ in files()]
SCANNED = [one for one in WHOLE if one[0] == "as it is" or one[1] == OWN]


def texts(data: bytes) -> list[str]:
    read = []
    for part in walk(io.BytesIO(data), Place("leak.bin", packed=len(data)), Spent(Budget())):
        assert not isinstance(part, ScanError), part
        read.append("".join(map(str, part.chunks)))
    return read


@pytest.mark.parametrize(("container", "encoding"), SCANNED, ids=str)
def test_every_spelling_is_found(container: str, encoding: str) -> None:
    make = next(make for name, kind, make in files() if (name, kind) == (container, encoding))
    assert missed(container, encoding, make()) == []


@pytest.mark.parametrize("container", PACKS)
def test_a_container_gives_the_text_that_was_put_in(container: str) -> None:
    _, rows = issued()
    text = text_of(rows)
    for encoding in ENCODINGS.values():
        assert text in texts(PACKS[container](encoding(text)))


def test_all_containers_of_the_table_are_tried() -> None:
    assert len(WHOLE) == len(PACKS) * len(ENCODINGS) + len(TABLES)


@pytest.mark.parametrize("layout", ["prose", "table"])
def test_the_kernel_finds_every_spelling_where_no_address_was_issued(layout: str) -> None:
    whole, rows = issued()
    lab, text = Lab(), ""
    for number, (way, row) in enumerate(zip(WAYS, rows, strict=True)):
        if way.kind != "home":
            lab.canaries[number + 1] = whole.canaries[number + 1]
            spelt = '"' + row[1] + '"' if layout == "table" else " : ".join(row)
            text += f"{number},{spelt},x\n" if layout == "table" else f"{spelt}\n\n\n\n"
    scan = FastScan(lab.index, lab, KEYS, slowly=-1)
    head = "number,what,more\n" if layout == "table" else ""
    data = (head + text).encode()
    scan_stream(io.BytesIO(data), Place("leak", packed=len(data)), scan, Spent(Budget()))
    assert {hit.canary for hit in scan.findings().hits} == {each.id for each in lab.canaries.values()}
