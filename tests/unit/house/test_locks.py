"""The lock files are whole, in step with pyproject.toml and name no place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import lock


@pytest.mark.parametrize("name", ["run", "dev"])
def test_the_lock_is_in_step(name: str) -> None:
    assert lock.faults(name) == []


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+).*<?", lock.lock_path(name).read_text(), re.MULTILINE))


def test_both_locks_pin_the_same_versions() -> None:
    run, dev = pins("run"), pins("dev")
    assert {"pyarrow", "hatchling", "editables"} <= set(run)
    assert {"pytest", "ruff", "mypy"} & set(run) == set()
    assert run.items() <= dev.items()


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("# asked: ", "# asked: 0", "out of step"),
        ("numpy==", "--index-url https://host/\nnumpy==", "names a place"),
        ("alembic==1", "other==1.0\nalembic==1", "no digest for other==1.0"),
    ],
)
def test_a_bad_lock_is_told(
    before: str, after: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "run.lock"
    bad.write_text(lock.lock_path("run").read_text().replace(before, after, 1))
    monkeypatch.setattr(lock, "lock_path", lambda name: bad)
    assert fault in "\n".join(lock.faults("run"))


def test_a_missing_lock_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "lock_path", lambda name: tmp_path / "no.lock")
    assert lock.faults("run") == ["no.lock is missing"]
