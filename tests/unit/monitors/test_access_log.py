"""Access logs: what each account did since the last look, whatever form the log has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from canary.errors import OutsideError, UsageError
from canary.monitors.access_log import monitor
from canary.monitors.parts.access import moment_ms
from canary.ports import Monitor
from tests.watch_tools import CannedFetch

NONE = CannedFetch({})
COMBINED = (
    '10.0.0.7 - courier-7 [23/Nov/2026:10:00:00 +0800] "GET /waybills?no=YT9000000000001 HTTP/1.1" 200 5\n'
)
AUDIT = (
    "2026-11-23 02:00:00.500 UTC [12] courier-7@orders 10.0.0.7 LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,"
    "\"SELECT *\n\tFROM waybill WHERE no = 'YT9000000000001'\",<none>\n"
)
JSON = {
    "account": "courier-7",
    "time": "2026-11-23T10:00:00+08:00",
    "ip": "10.0.0.7",
    "no": "YT9000000000001",
}
LINES = {
    "combined": COMBINED,
    "pgaudit": AUDIT,
    "jsonl": json.dumps(JSON) + "\n",
    "csv": "account,time,ip,no\n"
    'courier-7,2026-11-23T10:00:00+08:00,10.0.0.7,"YT9000000000001"\n',
}  # fmt: skip
TEN_MS = 1_795_399_200_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def log(path: Path, format: str, **more: object) -> Monitor:
    return monitor({"path": str(path), "format": format, **more})


@pytest.mark.parametrize("format", sorted(LINES))
def test_who_touched_what_from_where_and_when(path: Path, format: str) -> None:
    path.write_text(LINES[format])
    (item,) = log(path, format).poll(None, NONE).items
    assert (item.event, item.contact) == ("access", None)
    assert item.detail == {"account": "courier-7", "from": "10.0.0.7", "lines": "1"}
    assert item.time_ms - TEN_MS in (0, 500)
    assert b"YT9000000000001" in item.raw


def test_accounts_are_told_apart_with_their_haste(path: Path) -> None:
    lines = [
        {**JSON, "account": f"a{n % 2}", "ip": f"10.0.0.{n}", "time": 1_795_399_200 + n} for n in range(6)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    first, second = log(path, "jsonl").poll(None, NONE).items
    assert first.detail == {
        "account": "a0", "from": "10.0.0.0, 10.0.0.2, 10.0.0.4", "lines": "3", "seconds": "4",
    }  # fmt: skip
    assert (second.detail["account"], second.time_ms) == ("a1", TEN_MS + 1_000)
    assert first.raw.count(b"\n") == second.raw.count(b"\n") == 3


def test_keys_and_columns_have_the_names_that_the_log_gives_them(path: Path) -> None:
    path.write_text(json.dumps({"who": {"name": "x"}, "at": 1_795_399_200_000, "host": "h"}) + "\n")
    (item,) = log(path, "jsonl", account="who.name", time="at").poll(None, NONE).items
    assert (item.detail["account"], item.detail["from"], item.time_ms) == ("x", "h", TEN_MS)
    path.write_text("\ufeffuser,when\nx,1795399200\n")
    poll = log(path, "csv", account="user", time="when").poll(None, NONE)
    assert [(item.detail["account"], item.time_ms) for item in poll.items] == [("x", TEN_MS)]
    with path.open("a") as file:
        file.write("y,\n")
    (item,) = log(path, "csv", account="user", time="when").poll(poll.cursor, NONE).items
    assert (item.detail["account"], item.time_ms) == ("y", 0)
    with pytest.raises(OutsideError, match="no column"):
        log(path, "csv").poll(None, NONE)


def test_an_unnamed_visitor_is_told_by_its_address(path: Path) -> None:
    path.write_text(COMBINED.replace("courier-7", "-"))
    (item,) = log(path, "combined").poll(None, NONE).items
    assert item.detail == {"from": "10.0.0.7", "lines": "1"}


@pytest.mark.parametrize("format", sorted(LINES))
def test_rubbish_is_passed_over(path: Path, format: str) -> None:
    rubbish = b"\xff\x00\n\n[[[[\n" + b"[" * 5_000 + b"\n5\n\tand more\n"
    path.write_bytes((LINES["csv"].encode() if format == "csv" else b"") + rubbish)
    assert len(log(path, format).poll(None, NONE).items) == (1 if format == "csv" else 0)


@pytest.mark.parametrize("format", sorted(LINES))
def test_the_same_lines_are_the_same_item_and_new_ones_another(path: Path, format: str) -> None:
    path.write_text(LINES[format])
    one = log(path, format)
    first, again = one.poll(None, NONE), one.poll(None, NONE)
    assert [item.key for item in first.items] == [item.key for item in again.items]
    assert one.poll(first.cursor, NONE).items == ()
    with path.open("a") as file:
        file.write(LINES[format].splitlines()[-1] + " \n" if format != "pgaudit" else AUDIT)
    assert len(one.poll(first.cursor, NONE).items) == 1


def test_a_missing_log_and_an_unknown_format(path: Path) -> None:
    for format in LINES:
        with pytest.raises(OutsideError, match="cannot read"):
            log(path, format).poll(None, NONE)
    with pytest.raises(UsageError, match="format"):
        log(path, "xml")


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "-5", "1e400", "99/Nov/2026:10:00:00 +0800"])
def test_a_time_that_is_none(text: str) -> None:
    assert moment_ms(text) == 0
