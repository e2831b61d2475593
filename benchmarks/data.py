"""Makes the table that tagging is measured on: waybills of nobody, 12 columns, the same for the same size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

HEADINGS = "运单号,下单时间,寄件网点,收件人姓名,收件人电话,邮箱,省,市,收件地址,重量kg,运费,备注"
PLACES = [
    "浙江省,杭州市",
    "江苏省,苏州市",
    "广东省,深圳市",
    "四川省,成都市",
    "山东省,青岛市",
    "湖北省,武汉市",
]
NOTES = ["", "放门口", "放驿站", "送货上门", '"请先打电话,谢谢"', "易碎"]
CHUNK = 50_000


def write_csv(path: Path, rows: int) -> None:
    """Write `rows` rows, in the order of time and of waybill numbers, with gaps in the numbers."""
    rng = np.random.default_rng(20240301)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADINGS + "\n")
        for start in range(0, rows, CHUNK):
            file.writelines(lines(start, min(CHUNK, rows - start), rng))


def lines(start: int, count: int, rng: np.random.Generator) -> list[str]:
    numbers = 8_000_000_000_000 + 7 * np.arange(start, start + count) + rng.integers(0, 7, count)
    times = np.datetime64("2024-03-01T00:00:00") + (
        np.arange(start, start + count) * 2 + rng.integers(0, 2, count)
    )
    stamps = np.datetime_as_string(times, unit="s")
    parts = zip(
        numbers.tolist(),
        stamps.tolist(),
        rng.integers(100, 900, count).tolist(),
        rng.integers(0, 8000, count).tolist(),
        rng.integers(0, 10**8, count).tolist(),
        rng.integers(0, len(PLACES), count).tolist(),
        rng.integers(0, len(NOTES), count).tolist(),
        rng.uniform(0.1, 20, count).tolist(),
        strict=True,
    )
    return [line(start + at, *each) for at, each in enumerate(parts)]


def line(
    row: int, number: int, stamp: str, branch: int, who: int, phone: int, place: int, note: int, weight: float
) -> str:
    name = chr(0x5F20 + who % 40) + chr(0x4E00 + who % 397) + chr(0x5B50 + who // 397)
    address = f"{PLACES[place][4:]}文三路{who % 900 + 1}号{who % 30 + 1}幢{who % 900}室"
    return (
        f"YT{number},{stamp[:10]} {stamp[11:]},网点{branch},{name},120{phone:08d},u{row}@mail.example,"
        f"{PLACES[place]},{address},{weight:.2f},{8 + weight * 1.5:.2f},{NOTES[note]}\n"
    )
