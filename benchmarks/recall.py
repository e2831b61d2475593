"""Recall of the scan: every class of spelling in every encoding and container, as two tables in docs/scan.md.

Run `python benchmarks/recall.py` to measure and print, with --write to put the tables into the document.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tests.packed import ENCODINGS
from tests.recall import BEYOND, OWN, files, missed
from tests.spelt import WAYS

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "scan.md"
BEGIN, END = "<!-- made by benchmarks/recall.py -->\n", "<!-- end -->\n"
COLUMNS = (*ENCODINGS, OWN)


def measured() -> tuple[dict[tuple[str, str], tuple[int, int]], Counter[tuple[str, str]], int]:
    """Scan every file: found and put in by (container, encoding), misses by (kind, class), number of files."""
    cells: dict[tuple[str, str], tuple[int, int]] = {}
    misses: Counter[tuple[str, str]] = Counter()
    for container, encoding, make in files():
        lost = missed(container, encoding, make())
        put = sum(way.name not in BEYOND.get(container, ()) for way in WAYS)
        cells[container, encoding] = put - len(lost), put
        misses.update((one.way.kind, one.way.name) for one in lost)
        for one in lost:
            print(f"missed: {one.way.kind}, {one.way.name} in {container}, {encoding}", file=sys.stderr)
    return cells, misses, len(cells)


def tables() -> str:
    """Give both tables; a cell that lost something says of how many."""
    cells, misses, count = measured()
    lines = [
        f"How many of the {len(WAYS)} values of a file were found, each spelt in another way ({count} files):",
        "",
    ]
    lines += ["| container | " + " | ".join(COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    for container in dict.fromkeys(name for name, _ in cells):
        shown = (cells.get((container, encoding)) for encoding in COLUMNS)
        lines.append(f"| {container} | " + " | ".join(_cell(*one) if one else "" for one in shown) + " |")
    lines += ["", "| value | classes of spelling | found in all files |", "|---|---|---|"]
    for kind, title in (
        ("phone", "phone"),
        ("mail", "e-mail"),
        ("code", "waybill"),
        ("home", "name and address"),
    ):
        names = [way.name for way in WAYS if way.kind == kind]
        lost = sum(misses[kind, name] for name in names)
        put = sum(count - sum(name in left for left in BEYOND.values()) for name in names)
        lines.append(f"| {title} | {', '.join(names)} | {put - lost} of {put} |")
    return "\n".join(lines) + "\n"


def _cell(found: int, put: int) -> str:
    return str(found) if found == put else f"{found} of {put}"


def main() -> None:
    made = tables()
    print(made)
    if "--write" in sys.argv:
        text = DOCUMENT.read_text("utf-8")
        before, _, rest = text.partition(BEGIN)
        DOCUMENT.write_text(before + BEGIN + "\n" + made + "\n" + END + rest.partition(END)[2], "utf-8")


if __name__ == "__main__":
    main()
