"""Files appear whole or not at all, and leave nothing behind."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from canary.errors import OutsideError
from canary.files import AtomicFile, sha256_file, spool_stdin


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_committed_file_has_its_bytes_mode_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with AtomicFile(path) as file:
        file.write(b"one,")
        file.write(memoryview(b"two"))
        (temporary,) = names(tmp_path)
        assert temporary.startswith(f".out.csv.canary-{os.getpid()}-")
        assert temporary.endswith(".tmp")
        assert (file.tell(), file.writable()) == (7, True)
        file.commit()
    assert names(tmp_path) == ["out.csv"]
    assert path.read_bytes() == b"one,two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert file.sha256 == sha256_file(path) == hashlib.sha256(b"one,two").hexdigest()


def test_the_mode_can_be_chosen(tmp_path: Path) -> None:
    with AtomicFile(tmp_path / "a", mode=0o640) as file:
        file.commit()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("fails", [False, True])
def test_without_a_commit_nothing_stays_and_the_old_file_does(tmp_path: Path, fails: bool) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    try:
        with AtomicFile(path) as file:
            file.write(b"new")
            if fails:
                raise KeyError("stop")
    except KeyError:
        pass
    assert names(tmp_path) == ["out"]
    assert path.read_bytes() == b"old"


def test_a_file_is_replaced_and_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"other")
    path = tmp_path / "out"
    path.symlink_to(other)
    with AtomicFile(path) as file:
        file.write(b"new")
        file.commit()
    assert (path.read_bytes(), other.read_bytes(), path.is_symlink()) == (b"new", b"other", False)


def test_leftovers_of_dead_processes_of_the_same_target_are_removed(tmp_path: Path) -> None:
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    pid = dead.stdout.decode().strip()
    stale = tmp_path / f".out.canary-{pid}-0123abcd.tmp"
    kept = [
        tmp_path / f".out.canary-{os.getpid()}-0123abcd.tmp",
        tmp_path / f".out2.canary-{pid}-0123abcd.tmp",
        tmp_path / ".out.canary-1-0123abcd.tmp",
        tmp_path / f".out.canary-{pid}-0123abcd.tmp.txt",
    ]
    for path in (stale, *kept):
        path.write_bytes(b"x")
    with AtomicFile(tmp_path / "out"):
        pass
    assert names(tmp_path) == sorted(path.name for path in kept)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "quota"), (errno.EIO, "failed")]
)
def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def full(handle: int, pieces: list[memoryview]) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "writev", full)
    with pytest.raises(OutsideError, match=words), AtomicFile(tmp_path / "out") as file:
        file.write(b"data")
    monkeypatch.undo()
    assert names(tmp_path) == []


def test_a_disk_that_is_full_at_the_commit_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutsideError, match="disk is full"), AtomicFile(tmp_path / "out") as file:
        file.commit()
    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [1, 2, 5, 300])
def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    whole, pieces = os.write, [b"one,", b"", b"two", *(b"%d;" % number for number in range(600))]
    with AtomicFile(tmp_path / "out") as file:
        monkeypatch.setattr(os, "writev", lambda handle, each: whole(handle, b"".join(each)[:size]))
        file.writelines(pieces)
        file.commit()
    assert (tmp_path / "out").read_bytes() == b"".join(pieces)
    assert (file.tell(), file.sha256) == (len(b"".join(pieces)), sha256_file(tmp_path / "out"))


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="does not exist"), AtomicFile(tmp_path / "no" / "out"):
        pass


def test_very_long_names_work(tmp_path: Path) -> None:
    path = tmp_path / ("名" * 80)
    with AtomicFile(path) as file:
        file.commit()
    assert names(tmp_path) == [path.name]


def test_digesting_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="does not exist") as caught:
        sha256_file(tmp_path / "no")
    assert caught.value.hint == "check the path"


def test_standard_input_is_spooled(tmp_path: Path) -> None:
    path = spool_stdin(io.BytesIO(b"a,b\n1,2\n"), tmp_path)
    assert (path.parent, path.read_bytes(), path.stat().st_mode & 0o777) == (tmp_path, b"a,b\n1,2\n", 0o600)


def test_spooling_into_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match="does not exist"):
        spool_stdin(io.BytesIO(b"x"), tmp_path / "no")


class Broken(io.BytesIO):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("error", "told"), [(OSError(errno.ENOSPC, "x"), OutsideError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_a_broken_spooling_leaves_nothing(
    tmp_path: Path, error: BaseException, told: type[BaseException]
) -> None:
    with pytest.raises(told):
        spool_stdin(Broken(error), tmp_path)
    assert names(tmp_path) == []
