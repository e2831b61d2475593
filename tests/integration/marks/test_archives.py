"""Marks are read in tables inside archives, and no archive breaks a trace."""

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile

import pytest

from benchmarks.marks_trace import HEAD, host, write
from canary import wiring
from canary.fields.policy import parse_policy
from canary.model.people import Recipient, RecipientKind
from canary.steps import decoding
from canary.steps.inspect import inspect
from canary.steps.leaktables import tables_in
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.store import recipients


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    wiring.make_home(folder / "home")
    tools = wiring.open_tools(folder / "home")
    with tools.registry.begin() as tx:
        recipients.add_many(tx, [Recipient(f"r{number}", RecipientKind.PARTNER) for number in range(3)])
    source = write(folder / "w.csv", HEAD, host(random.Random(5), 200))
    policy = parse_policy(inspect(str(source), None).policy)
    tag(tools, TagRequest(str(source), ("r1",), str(folder / "copy.csv"), policy=policy, canaries=3))
    yield tools, (folder / "copy.csv").read_bytes()
    tools.registry.close()


def zipped(*members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


def tarred(*members):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def best(tools, path):
    found = decoding.marks_in(tools, tables_in([path]), decoding.Bar(1e-6))
    return {name: score.agreeing for name, score in found.scores.items()}, found.rows


WRAPPED = {
    "leak.csv.gz": gzip.compress,
    "leak.csv.bz2": bz2.compress,
    "leak.csv.xz": lzma.compress,
    "leak.zip": lambda data: zipped(("note.txt", b"hello"), ("a/b/../leak.csv", data)),
    "leak.tar": lambda data: tarred(("x.png", b"\x89PNG\0\0"), ("leak.csv", data)),
    "leak.tgz": lambda data: gzip.compress(tarred(("leak.zip", zipped(("leak.csv", data))))),
    "leak": lambda data: zipped(("leak.csv.gz", gzip.compress(data)), ("empty.csv", b"")),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_marks_are_read_in_members(world, tmp_path, name):
    tools, copy = world
    (tmp_path / name).write_bytes(WRAPPED[name](copy))
    agreeing, rows = best(tools, tmp_path / name)
    assert rows >= 203
    assert max(agreeing, key=agreeing.get) == "r1"
    assert agreeing["r1"] > 2 * max(agreeing["r0"], agreeing["r2"])


HOSTILE = {
    "a bomb": lambda data: zipped(("zeros.csv", b"0" * (70 << 20)), ("leak.csv", data)),
    "a broken one": lambda data: zipped(("leak.csv", data * 3))[:-200],
    "cut off": lambda data: gzip.compress(tarred(("leak.csv", data)))[:900],
    "too deep": lambda data: zipped(("a.zip", zipped(("b.zip", zipped(("c.zip", zipped(("d.csv", data)))))))),
    "turned upon itself": lambda data: tarred(("../../../leak.csv", data[:3]), ("/etc/passwd", b"x")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_breaks_nothing(world, tmp_path, name):
    tools, copy = world
    (tmp_path / "leak.zip").write_bytes(HOSTILE[name](copy))
    agreeing, _ = best(tools, tmp_path / "leak.zip")
    if name == "a bomb":
        assert agreeing["r1"] > 100
    assert not list(tmp_path.parent.glob("leak.csv"))
