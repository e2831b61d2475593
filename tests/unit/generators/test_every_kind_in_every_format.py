"""Every kind, written and read back in every format that a preview can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from canary.cli.main import run
from canary.files import open_table
from canary.generators.kinds import headings_of, kind_names, load_kind


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("formats") / "home"
    assert run(["init", "--home", str(path)]) == 0
    return path


@pytest.mark.parametrize("name", kind_names())
def test_a_kind_is_written_and_read_back(name: str, home: Path, tmp_path: Path) -> None:
    found = []
    for ending in ("csv", "jsonl", "xlsx", "parquet"):
        path = tmp_path / f"rows.{ending}"
        wanted = ["generate", name, "--count", "5", "--seed", "9", "--output", str(path), "--home", str(home)]
        assert run([*wanted, "--mail-domain", "people.example"]) == 0
        table = open_table(path)
        assert table.headings == headings_of(load_kind(name), "zh_CN")
        found.append(
            [
                [cell or "" for cell in row.values()]
                for batch in table.batches()
                for row in batch.rows.to_pylist()
            ]
        )
    assert len(found[0]) == 5
    assert all(one == found[0] for one in found[1:])
