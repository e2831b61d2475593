"""The tail of a call record file: rotations, truncations and half-written lines."""

from __future__ import annotations

import gzip
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from canary.errors import OutsideError
from canary.monitors.asterisk import monitor
from canary.monitors.parts import tail
from canary.ports import Monitor
from tests.watch_tools import CannedFetch

NONE = CannedFetch({})


def line(n: int, dst: str = "14000000001") -> str:
    return (
        f'"","13900000000","{dst}","in","x","SIP/1","","Hangup","","2026-01-01 10:00:00","","2026-01-01 10:00:09",'
        f'9,0,"NO ANSWER","DOCUMENTATION","{n}.1",""\n'
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


@pytest.fixture
def records(path: Path) -> Monitor:
    return monitor({"path": str(path), "utc": True})


def keys(one: Monitor, cursor: str | None) -> tuple[list[str], str, bool]:
    poll = one.poll(cursor, NONE)
    assert not poll.more
    return [item.key for item in poll.items], poll.cursor, poll.gap


def test_a_call_is_read(records: Monitor, path: Path) -> None:
    path.write_text(line(1))
    [item] = records.poll(None, NONE).items
    assert (item.key, item.event, item.contact, item.raw.decode()) == ("1.1", "call", "14000000001", line(1))
    assert item.time_ms == 1_767_261_600_000
    assert item.detail == {
        "from": "13900000000", "clid": "x", "start": "2026-01-01 10:00:00", "duration": "9", "billsec": "0",
        "disposition": "NO ANSWER",
    }  # fmt: skip


def test_local_time_is_the_default(path: Path) -> None:
    path.write_text(line(1))
    [item] = monitor({"path": str(path)}).poll(None, NONE).items
    assert item.time_ms == datetime(2026, 1, 1, 10, 0).astimezone().timestamp() * 1000


def test_a_half_written_line_waits(records: Monitor, path: Path) -> None:
    path.write_text(line(1) + line(2)[:40])
    found, cursor, _ = keys(records, None)
    assert found == ["1.1"]
    path.write_text(line(1) + line(2))
    assert keys(records, cursor)[0] == ["2.1"]


def test_lines_that_are_no_calls_are_passed_over(records: Monitor, path: Path) -> None:
    path.write_bytes(b'\xff\xfe,"open\n\n,,,\n' + line(1).encode() + b"a,b,,d,e,f,g,h,i,j,k\n")
    assert keys(records, None)[0] == ["1.1"]


def test_a_line_without_uniqueid_or_time(records: Monitor, path: Path) -> None:
    path.write_text("a,b,14000000001,d,e,f,g,h,i,yesterday\n")
    [item] = records.poll(None, NONE).items
    assert (item.time_ms, len(item.key)) == (0, 32)


def test_a_rotated_file_is_read_to_its_end(records: Monitor, path: Path) -> None:
    path.write_text(line(1))
    _, cursor, _ = keys(records, None)
    with path.open("a") as file:
        file.write(line(2))
    path.rename(path.with_name("Master.csv.1"))
    path.write_text(line(3))
    found, cursor, gap = keys(records, cursor)
    assert (found, gap) == (["2.1", "3.1"], False)
    assert keys(records, cursor) == ([], cursor, False)


def test_a_file_that_is_rotated_while_empty(records: Monitor, path: Path) -> None:
    path.touch()
    _, cursor, _ = keys(records, None)
    path.write_text(line(1))
    path.rename(path.with_name("Master.csv.1"))
    path.write_text(line(2))
    assert keys(records, cursor)[0] == ["1.1", "2.1"]


def test_copy_and_truncate_loses_nothing(records: Monitor, path: Path) -> None:
    path.write_text(line(1) + line(2))
    _, cursor, _ = keys(records, None)
    with path.open("a") as file:
        file.write(line(3))
    shutil.copy(path, path.with_name("Master.csv-20260101"))
    path.write_text(line(4))
    found, _, gap = keys(records, cursor)
    assert (found, gap) == (["3.1", "4.1"], False)


def test_a_file_that_is_gone_is_a_gap(records: Monitor, path: Path) -> None:
    path.write_text(line(1))
    _, cursor, _ = keys(records, None)
    (path.parent / "Master.csv.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    (path.parent / "Master.csv.old").mkdir()
    path.unlink()
    path.write_text(line(2))
    found, cursor, gap = keys(records, cursor)
    assert (found, gap) == (["2.1"], True)
    assert keys(records, cursor)[2] is False


def test_a_long_file_comes_in_parts(records: Monitor, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "A_POLL", 400)
    path.write_text("".join(line(n) for n in range(10)))
    found: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        poll = records.poll(cursor, NONE)
        found += [item.key for item in poll.items]
        cursor = poll.cursor
        if not poll.more:
            break
    assert found == [f"{n}.1" for n in range(10)]
    path.rename(path.with_name("Master.csv.1"))
    with path.with_name("Master.csv.1").open("a") as file:
        file.write("".join(line(n) for n in range(10, 14)))
    path.write_text(line(14))
    for _ in range(20):
        poll = records.poll(cursor, NONE)
        found += [item.key for item in poll.items]
        cursor = poll.cursor
        if not poll.more and poll.items and poll.items[-1].key == "14.1":
            break
    assert found == [f"{n}.1" for n in range(15)]


def test_an_endless_line_is_passed_over(
    records: Monitor, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "A_POLL", 400)
    path.write_text("x" * 1000)
    first = records.poll(None, NONE)
    assert (first.items, first.more) == ((), True)
    with path.open("a") as file:
        file.write("\n" + line(1))
    cursor: str | None = first.cursor
    found: list[str] = []
    for _ in range(5):
        poll = records.poll(cursor, NONE)
        found += [item.key for item in poll.items]
        cursor = poll.cursor
    assert found == ["1.1"]


def test_a_missing_file_is_an_outside_error(records: Monitor) -> None:
    with pytest.raises(OutsideError, match="cannot read"):
        records.poll(None, NONE)
