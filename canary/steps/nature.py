"""What a learned table is by nature: its language, and the record kind it resembles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from canary.generators import kinds

ALIKE = 0.5  # share of roles that a table and a kind must have in common
OTHER = "table"
BY_NUMBER = {"waybill_no": "waybill", "order_no": "order"}


def locale_of(headings: Sequence[str], rows: Sequence[Mapping[str, str | None]]) -> str:
    """Give zh_CN where headings or cells hold Han characters, else en_US."""
    cells = (cell for row in rows[:200] for cell in row.values() if cell)
    han = any("一" <= char <= "鿿" for text in (*headings, *cells) for char in text)
    return "zh_CN" if han else "en_US"


def kind_of(roles: Mapping[str, str]) -> str:
    """Name the record kind whose roles a table shares most, `table` where none is alike."""
    mine = Counter(roles.values())
    for role, kind in BY_NUMBER.items():
        if role in mine:
            return kind
    scored = [
        (_alike(mine, Counter(one.role for one in kinds.load_kind(name).columns)), name)
        for name in kinds.kind_names()
    ]
    best, name = max(scored)
    return name if best >= ALIKE else OTHER


def _alike(mine: Counter[str], theirs: Counter[str]) -> float:
    return (mine & theirs).total() / max(1, (mine | theirs).total())
