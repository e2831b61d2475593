"""A folder of dumps: whole files once, nothing half-written, no links."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from canary.errors import OutsideError
from canary.model.sight import Poll
from canary.monitors import drop
from canary.monitors.parts import folder as files
from tests.watch_tools import CannedFetch

NONE = CannedFetch({})
NOW = 1_750_000_000.0


def put(path: Path, text: str = "x", age: float = 60.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (NOW - age, NOW - age))
    return path


def poll(folder: Path, cursor: str | None = None, now: float = NOW) -> Poll:
    return drop.monitor({"path": str(folder)}, lambda: now).poll(cursor, NONE)


def names(found: Poll) -> list[str]:
    return [item.key for item in found.items]


def test_files_are_found_in_subfolders(tmp_path: Path) -> None:
    put(tmp_path / "a.csv")
    put(tmp_path / "b" / "c" / "d.zip")
    found = poll(tmp_path)
    assert names(found) == ["a.csv", "b/c/d.zip"]
    assert found.items[0].detail == {"file": "a.csv", "modified": str(int((NOW - 60) * 1000))}


def test_what_is_being_written_waits(tmp_path: Path) -> None:
    put(tmp_path / "fresh.csv", age=0.4)
    put(tmp_path / "old.csv")
    for name in ("x.part", "y.TMP", ".hidden", "z.crdownload", "edit~"):
        put(tmp_path / name)
    first = poll(tmp_path)
    assert (names(first), first.more) == (["old.csv"], True)
    second = poll(tmp_path, first.cursor, NOW + 1)
    assert (names(second), second.more) == (["fresh.csv"], False)


def test_a_clock_that_runs_behind_keeps_nothing_waiting(tmp_path: Path) -> None:
    put(tmp_path / "future.csv", age=-3600)
    assert names(poll(tmp_path)) == ["future.csv"]


def test_the_same_bytes_again_are_nothing_new(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv")
    first = poll(tmp_path)
    os.utime(path, (NOW - 30, NOW - 30))
    second = poll(tmp_path, first.cursor)
    assert second.items == ()
    assert second.cursor != first.cursor
    put(path, "y", 20)
    assert names(poll(tmp_path, second.cursor)) == ["a.csv"]


def test_links_and_special_files_are_left_alone(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "secret.txt")
    folder = tmp_path / "dumps"
    folder.mkdir()
    (folder / "link.txt").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent)
    os.mkfifo(folder / "pipe")
    found = poll(folder)
    assert (found.items, found.more) == ((), False)


def test_a_deep_tree_ends(tmp_path: Path) -> None:
    put(tmp_path.joinpath(*["d"] * 30, "x.txt"))
    put(tmp_path.joinpath(*["e"] * 10, "x.txt"))
    assert names(poll(tmp_path)) == ["e/" * 10 + "x.txt"]


def test_a_big_file_is_named_and_not_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CARRIED", 10)
    path = put(tmp_path / "big.bin", "x" * 11)
    [item] = poll(tmp_path).items
    assert (item.raw, item.file) == (b"", str(path))
    assert item.detail["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert item.detail["bytes"] == "11"


@pytest.mark.parametrize(("limit", "value"), [("A_POLL", 10), ("FILES_A_POLL", 2)])
def test_many_files_come_in_parts(
    limit: str, value: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, limit, value)
    for n in range(5):
        put(tmp_path / f"{n}.txt", f"{n}" * 6)
    found: list[str] = []
    cursor, more = None, True
    while more:
        part = poll(tmp_path, cursor)
        assert 1 <= len(part.items) <= 2
        found += names(part)
        cursor, more = part.cursor, part.more
    assert found == [f"{n}.txt" for n in range(5)]


def test_a_file_that_changes_while_it_is_read_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "a.csv", "x" * 100)
    real = os.fstat

    def grown(handle: int) -> os.stat_result:
        with path.open("a") as file:
            file.write("y")
        return real(handle)

    monkeypatch.setattr(files.os, "fstat", grown)
    first = poll(tmp_path)
    assert first.items == ()
    monkeypatch.undo()
    os.utime(path, (NOW - 30, NOW - 30))
    assert names(poll(tmp_path, first.cursor)) == ["a.csv"]


def test_a_file_that_grows_is_not_read_for_ever(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", "x" * 100)
    found = files.Found("a.csv", path, 50, path.stat().st_mtime_ns)
    assert files.take(found) is None


def test_what_is_taken_away_is_forgotten(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv")
    first = poll(tmp_path)
    path.unlink()
    assert files.take(files.Found("a.csv", path, 1, 0)) is None
    second = poll(tmp_path, first.cursor)
    assert second.items == ()
    put(path)
    assert names(poll(tmp_path, second.cursor)) == ["a.csv"]


def test_a_missing_folder_is_an_outside_error(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="no folder"):
        poll(tmp_path / "nothing")


def test_one_file_may_be_watched_by_its_own_name(tmp_path: Path) -> None:
    path = put(tmp_path / "dump.txt")
    put(tmp_path / "other.txt")
    first = poll(path)
    assert names(first) == ["dump.txt"]
    assert poll(path, first.cursor).items == ()
    put(path, "y", 20)
    assert names(poll(path, first.cursor)) == ["dump.txt"]
