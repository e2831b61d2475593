"""What a leaker does to the copies it holds: pick, merge, clean, shuffle, reformat, tell in prose."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Row = Mapping[str, str]


def read_rows(path: Path) -> list[Row]:
    """Read a copy the way a leaker would: a CSV or JSON Lines file as rows of text."""
    if path.suffix == ".jsonl":
        lines = path.read_text("utf-8").splitlines()
        return [
            {key: "" if value is None else str(value) for key, value in json.loads(line).items()}
            for line in lines
        ]
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        headings = next(rows, [])
        return [dict(zip(headings, row, strict=True)) for row in rows]


def survive(rows: Sequence[Row], share: float, rng: random.Random) -> list[Row]:
    """Lose all but a share of the rows, as a cleaning step does that knows nothing of canaries."""
    return rng.sample(list(rows), round(share * len(rows)))


def merge(copies: Iterable[Sequence[Row]], rng: random.Random) -> list[Row]:
    """Pour several copies into one pile and shuffle it."""
    pile = [row for copy in copies for row in copy]
    rng.shuffle(pile)
    return pile


def without(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """Drop columns that a seller does not need."""
    dropped = frozenset(columns)
    return [{key: value for key, value in row.items() if key not in dropped} for row in rows]


def packs(rows: Sequence[Row], size: int) -> list[list[Row]]:
    """Cut a pile into packs for sale."""
    return [list(rows[at : at + size]) for at in range(0, len(rows), size)]


def to_csv(rows: Sequence[Row], path: Path) -> Path:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)
    return path


def to_jsonl(rows: Sequence[Row], path: Path) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def to_xlsx(rows: Sequence[Row], path: Path) -> Path:
    """Write rows as a workbook."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"strings_to_numbers": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        headings = list(rows[0]) if rows else []
        sheet.write_row(0, 0, headings)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, [row[heading] for heading in headings])
    return path


def to_chat(rows: Sequence[Row], path: Path, columns: Sequence[str], rng: random.Random) -> Path:
    """Write rows as a group chat's text export: a few lines of list in each message, between small talk."""
    talk = ["收到", "谁有最新的名单？", "[图片]", "转给我一份", "这是昨天的", "别外传", "好的"]
    lines: list[str] = []
    at = 0
    minute = 0
    while at < len(rows):
        size = rng.randint(5, 30)
        minute += rng.randint(1, 9)
        lines.append(
            f"2026-11-{1 + minute // 1440:02d} {minute // 60 % 24:02d}:{minute % 60:02d}:07 成员{rng.randint(1, 400)}"
        )
        lines.extend(
            " ".join(row[column] for column in columns if row.get(column)) for row in rows[at : at + size]
        )
        lines.extend(["", rng.choice(talk), ""])
        at += size
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def to_prose(found: Mapping[str, Sequence[tuple[str, Row]]], path: Path) -> Path:
    """Write what a broker found on each person asked for as a report in prose."""
    parts = [_report(person, facts) for person, facts in found.items()]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")
    return path


def _report(person: str, facts: Sequence[tuple[str, Row]]) -> str:
    if not facts:
        return f"关于{person}：未查到。"
    told = [
        f"据{source}，" + "，".join(f"{key}为{value}" for key, value in row.items() if value)
        for source, row in facts
    ]
    return f"关于{person}的综合报告。\n" + "。\n".join(told) + "。"
