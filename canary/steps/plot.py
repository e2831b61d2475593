"""What `evaluate` counted as a picture: one bar for each attack and strength, with its 95 % interval, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import sqrt
from typing import Final

from canary.steps.evaluate import Evaluated

LINE: Final = 20  # pixels from bar to bar
LEFT: Final = 230  # pixels for the names
WIDE: Final = 360  # pixels of a bar that is whole
RIGHT: Final = 150
TOP: Final = 46
_GOOD, _BAD, _INK, _PALE = "#2f6f8f", "#b03030", "#222", "#d8dee2"
_Z = 1.96


def interval(hits: int, trials: int) -> tuple[float, float]:
    """Give the 95 % interval of a rate (Wilson 1927)."""
    share, wide = hits / trials, _Z**2 / trials
    middle = (share + wide / 2) / (1 + wide)
    half = _Z * sqrt(share * (1 - share) / trials + wide / (4 * trials)) / (1 + wide)
    return max(0.0, middle - half), min(1.0, middle + half)


def plot_of(found: Sequence[Evaluated], title: str) -> str:
    """Draw the rates at which the source was named; innocents that were named stand in red beside them."""
    height = TOP + LINE * len(found) + 30
    width = LEFT + WIDE + RIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="20" font-size="14">{escape(title)}</text>',
        *_axis(height),
    ]
    for number, one in enumerate(found):
        lines += _bar(one, TOP + LINE * number)
    return "\n".join([*lines, "</svg>", ""])


def _axis(height: int) -> list[str]:
    made = []
    for percent in (0, 25, 50, 75, 100):
        x = LEFT + WIDE * percent / 100
        made.append(f'<path d="M{x:g} {TOP - 6}V{height - 24}" stroke="{_PALE}" fill="none"/>')
        made.append(f'<text x="{x:g}" y="{height - 8}" text-anchor="middle">{percent} %</text>')
    return made


def _bar(one: Evaluated, y: int) -> list[str]:
    share = one.named / one.trials
    low, high = interval(one.named, one.trials)
    middle, ends = y + 7, (LEFT + WIDE * low, LEFT + WIDE * high)
    told = f"{one.named} of {one.trials}"
    made = [
        f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end">{escape(one.attack)} {one.strength:g}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{WIDE * share:.1f}" height="14" fill="{_GOOD}"/>',
        f'<path d="M{ends[0]:.1f} {middle}H{ends[1]:.1f}" stroke="{_INK}" fill="none"/>',
        f'<text x="{LEFT + WIDE + 10}" y="{y + 11}">{told}</text>',
    ]
    if one.innocents:
        wrong = f"{one.innocents} innocent"
        made.append(f'<text x="{LEFT + WIDE + 70}" y="{y + 11}" fill="{_BAD}">{wrong}</text>')
    return made
