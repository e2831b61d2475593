"""kill -9 during `tag`: no half-written file, no canary without ledger entry, and the same call ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill import harness

CANARIES = 40


def tag(recipient: str) -> list[str]:
    return [
        "tag",
        "in.csv",
        "--recipient",
        recipient,
        "--output",
        f"{recipient}.csv",
        "--canaries",
        str(CANARIES),
    ]


@pytest.mark.parametrize(("kills", "rows"), [(3, 2_000), pytest.param(70, 20_000, marks=pytest.mark.soak)])
def test_tag(kills: int, rows: int, tmp_path: Path) -> None:
    home = harness.make_home(tmp_path, [f"r{number}" for number in range(kills + 1)])
    harness.write_table(tmp_path / "in.csv", rows)
    begin, end = home.seconds("release", "list") * 0.7, home.seconds(*tag(f"r{kills}")) * 1.05
    for number, moment in enumerate(harness.moments(kills, begin, end)):
        recipient = f"r{number}"
        killed = home.kill_after(moment, *tag(recipient))
        home.counts[check(home, recipient, killed, rows)] += 1
    print(harness.told("tag", home, begin, end))


def check(home: harness.Home, recipient: str, killed: bool, rows: int) -> str:
    harness.check_registry(home)
    output = home.folder / f"{recipient}.csv"
    before = home.rows("SELECT id, sha256_out FROM releases WHERE recipient = ?", recipient)
    left = harness.sha256(output) if output.exists() else None
    assert left is None or [left] == [digest for _, digest in before]
    [done] = home.call(*tag(recipient))
    assert harness.sha256(output) == done["sha256_out"]
    assert done["rows_out"] == rows + CANARIES
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
