"""kill -9 during `tag`: no half-written file, no canary without ledger entry, and the same call ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill import harness

ROWS = 10_000


def tag(recipient: str) -> list[str]:
    return ["tag", "in.csv", "--recipient", recipient, "--output", f"{recipient}.csv", "--canaries", "40"]


@pytest.mark.parametrize("kills", [3, pytest.param(70, marks=pytest.mark.soak)])
def test_tag(kills: int, tmp_path: Path) -> None:
    home = harness.make_home(tmp_path, [f"r{number}" for number in range(kills + 1)])
    harness.write_table(tmp_path / "in.csv", ROWS)
    begin, end = home.seconds("release", "list") * 0.7, home.seconds(*tag(f"r{kills}")) * 1.05
    for number, moment in enumerate(harness.moments(kills, begin, end)):
        recipient = f"r{number}"
        killed = home.kill_after(moment, *tag(recipient))
        home.counts[check(home, recipient, killed)] += 1
    print(harness.told("tag", home, begin, end))


def check(home: harness.Home, recipient: str, killed: bool) -> str:
    harness.check_registry(home)
    output = home.folder / f"{recipient}.csv"
    before = home.rows("SELECT id, sha256_out FROM releases WHERE recipient = ?", recipient)
    left = harness.sha256(output) if output.exists() else None
    assert left is None or [left] == [digest for _, digest in before]
    [done] = home.call(*tag(recipient))
    assert harness.sha256(output) == done["sha256_out"]
    assert done["rows_out"] == ROWS + 40
    after = home.rows("SELECT id, sha256_out FROM releases WHERE recipient = ?", recipient)
    assert after == [(done["release"], done["sha256_out"])]
    assert not before or [name for name, _ in before] == [done["release"]]
    [again] = home.call(*tag(recipient))
    assert {**again, "seconds": 0} == {**done, "seconds": 0}
    harness.check_registry(home)
    return phase(killed, bool(before), left is not None)


def phase(killed: bool, recorded: bool, written: bool) -> str:
    if not killed:
        return "ended before the kill"
    if written:
        return "killed after the file stood"
    return "killed between ledger entry and file" if recorded else "killed before the ledger entry"
