"""Large files are read in stretches that end where records do; progress and interruption."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from canary.model.evidence import Findings, ScanError
from canary.scan.budget import Budget
from canary.scan.fast import FastScan
from canary.scan.findings import findings_of, joined, plain_findings
from canary.scan.paths import scan_paths
from canary.scan.units import Shared, Unit, read_all, read_unit, units_of
from canary.scan.watched import Stopped, Watch
from tests.packed import zipped
from tests.scanlab import ADDRESS, KEYS, MAIL, NAME, WAYBILL, Lab

ROW = f'YT1,"{NAME}",x\n'


def in_units(lab: Lab, path: Path, unit: int, threads: int = 2) -> tuple[list[Unit], Findings]:
    units = [one for one in units_of([path], unit) if isinstance(one, Unit)]

    def read(one: Unit) -> Findings:
        run = FastScan(lab.index, lab, KEYS)
        read_unit(one, run, Budget())
        return findings_of(plain_findings(run.findings()))  # as they are kept and had again

    return units, joined(read_all(units, read, threads, {}, lambda *_: None, Watch(lambda _: None)))


@pytest.mark.parametrize(
    "text",
    [
        "no,name,mail\n" + (ROW * 90 + f'{WAYBILL},"{NAME}\n{ADDRESS}",{MAIL}\n') * 9,
        "第一行\n" + ("没有什么特别的内容。\n" * 150 + f"收件人 {NAME}\n地址 {ADDRESS} 邮箱 {MAIL}\n") * 9,
        "[\n"
        + (
            '  {\n    "no": "YT1"\n  },\n' * 60
            + f'  {{\n    "no": "{WAYBILL}",\n    "mail": "{MAIL}"\n  }},\n'
        )
        * 9
        + "{}]",
        "INSERT INTO t VALUES\n" + ("('YT1','x'),\n" * 90 + f"('{WAYBILL}','{MAIL}'),\n") * 9,
    ],
    ids=["csv", "prose", "json", "sql"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_stretches_find_what_the_whole_file_holds(lab: Lab, tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "leak.txt"
    path.write_bytes(text.encode(encoding))
    whole = scan_paths([path], lab.index, lab, KEYS)
    units, found = in_units(lab, path, path.stat().st_size // 5)
    assert len(units) >= 3
    assert units[-1].span is not None
    assert units[-1].span.end == path.stat().st_size
    assert [(hit.canary, hit.offset, dict(hit.roles)) for hit in found.hits] == [
        (hit.canary, hit.offset, dict(hit.roles)) for hit in whole.hits
    ]
    assert len({hit.record for hit in found.hits}) == 9
    assert (found.files, found.bytes) == (1, path.stat().st_size)


def test_what_cannot_be_cut_stays_whole_and_small_files_go_together(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(WAYBILL.encode() * 100 + bytes(range(256)) * 90))
    (tmp_path / "b.txt").write_bytes(b"x" * 30_000)
    for number in range(5):
        (tmp_path / f"c{number}.txt").write_text(WAYBILL, "utf-8")
    units, found = in_units(lab, tmp_path, 1000)
    assert [[path.name for path in one.files] for one in units] == [
        ["a.zip"],
        ["b.txt"],
        [f"c{number}.txt" for number in range(5)],
    ]
    assert len(found.hits) == 6
    assert [one.reason for one in units_of([tmp_path / "none"]) if isinstance(one, ScanError)] == [
        "no such file or directory"
    ]


def singles(found: Findings) -> dict[tuple[str, ...], int]:
    return {shapes: count for shapes, count in found.candidates.shaped.items() if len(shapes) == 1}


def test_units_that_are_shared_are_counted_once_a_thread(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "leak.csv"
    path.write_text("no,name,mail\n" + (ROW * 90 + f"{WAYBILL},x,{MAIL}\n") * 9, "utf-8")
    whole = scan_paths([path], lab.index, lab, KEYS)
    units = [one for one in units_of([path], path.stat().st_size // 5) if isinstance(one, Unit)]
    shared = Shared(lambda: FastScan(lab.index, lab, KEYS))
    (path.parent / "gone").touch()
    gone = next(one for one in units_of([path.parent / "gone"]) if isinstance(one, Unit))
    (path.parent / "gone").unlink()
    found = [shared.read(one) for one in (*units, gone)]
    every = joined([*found, *shared.counted()])
    assert len(units) >= 3
    assert [len(one.errors) for one in found] == [0] * len(units) + [1]
    assert [hit.offset for hit in every.hits] == [hit.offset for hit in whole.hits]
    assert (every.rows, every.bytes, every.files) == (whole.rows, whole.bytes, whole.files)
    assert singles(every) == singles(whole)
    assert every.candidates.hit == whole.candidates.hit
    apart = joined([*in_units(lab, path, path.stat().st_size // 5)[1:]])
    assert sum(singles(apart).values()) > sum(singles(whole).values())


def test_a_large_file_is_cut_into_larger_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.csv"
    path.write_text("a,b\n" + "1,2\n" * 60_000, "utf-8")
    monkeypatch.setattr("canary.scan.units.UNIT", 1 << 20)
    assert len([*units_of([path], 100)]) in range(60, 68)
    monkeypatch.setattr("canary.scan.units.UNIT", 1000)
    assert len([*units_of([path], 100)]) in range(235, 245)


def test_a_unit_that_vanishes_is_an_error(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "leak.csv"
    path.write_text("a,b\n" + ROW * 900, "utf-8")
    units = [one for one in units_of([path], 1000) if isinstance(one, Unit)]
    path.unlink()
    run = FastScan(lab.index, lab, KEYS)
    read_unit(units[1], run, Budget())
    assert [error.reason for error in run.errors] == ["no such file or directory"]


def test_progress_reaches_the_whole_and_a_stop_ends_every_thread(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped(WAYBILL.encode() * 100))
    (tmp_path / "b.txt").write_bytes(b"x" * 30_000)
    told: list[int] = []
    scan_paths([tmp_path], lab.index, lab, KEYS, watch=Watch(told.append))
    assert told == sorted(told)
    assert told[-1] == sum(path.stat().st_size for path in tmp_path.iterdir())
    watch = Watch(lambda _: None)
    watch.stop()
    with pytest.raises(Stopped):
        scan_paths([tmp_path], lab.index, lab, KEYS, watch=watch)
    running = threading.Event()

    def read(unit: Unit) -> Findings:
        running.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_all(
            [one for one in units_of([tmp_path], 1) if isinstance(one, Unit)],
            read, 2, {}, lambda *_: None, Watch(lambda _: None),
        )  # fmt: skip
    assert running.is_set()
