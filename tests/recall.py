"""Recall of the scan: every class of spelling in every encoding and container, each value in a file once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.packed import ENCODINGS, PACKS, TABLES, Rows
from tests.scanlab import Lab, value, who_where
from tests.spelt import WAYS, Way

FIELDS: Final = {"phone": "phone", "mail": "email", "code": "waybill_no", "home": "name_address"}
OWN: Final = "its own"  # of a container that has an encoding of its own
BEYOND: Final = {"PDF": frozenset({"soft line break"})}  # what cannot be written into a page as one value
_STREETS: Final = ["文一", "解放", "中山", "人民", "建国", "学院", "长江", "黄河", "新华", "和平"]


@dataclass(frozen=True)
class Missed:
    """A value that was not found."""

    container: str
    encoding: str
    way: Way


@cache
def issued() -> tuple[Lab, Rows]:
    """Issue a canary for each way of spelling; gives them and the rows in which each value stands as it is spelt."""
    lab = Lab()
    rows: Rows = []
    for number, way in enumerate(WAYS):
        if way.kind == "phone":
            text = f"1{37 + number % 3}{91452861 + 7 * number}".replace("0", "5")
            field = value("phone", text, 26.0)
        elif way.kind == "mail":
            text = f"lin.mq{number:03d}@mail{number:03d}.acme.cn"
            field = value("email", text, 40.0)
        elif way.kind == "code":
            text = f"YT{7112345600000 + 13 * number:013d}"
            field = value("waybill_no", text, 23.0)
        else:
            street = _STREETS[number % len(_STREETS)]
            text = f"浙江省杭州市西湖区{street}西路{998 - number}号海创园{number}幢2单元{501 + number}室"
            field = who_where("张伟", text)
        cells = {"收件人姓名": "张伟", "收件地址": text} if way.kind == "home" else {}
        lab.issue(field, row=dict(cells), id=f"c-{number}")
        shown = ("收件人 张伟",) if way.kind == "home" else (f"row {number}",)
        rows.append((*shown, way.spell(text)))
    return lab, rows


def text_of(rows: Rows) -> str:
    """Write the rows as prose, apart from each other."""
    return "".join(" : ".join(row) + "\n\n\n\n" for row in rows)


def files() -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Give every container and encoding, with what makes the file."""
    _, rows = issued()
    for encoding, encode in ENCODINGS.items():
        for container, pack in PACKS.items():
            yield container, encoding, lambda pack=pack, encode=encode: pack(encode(text_of(rows)))  # type: ignore[misc]
    for container, make in TABLES.items():
        yield container, OWN, lambda make=make: make(rows)  # type: ignore[misc]


def missed(container: str, encoding: str, data: bytes) -> list[Missed]:
    """Give what a scan of a file did not find."""
    lab, _ = issued()
    findings = lab.scan(data, "leak.bin")
    assert findings.errors == (), findings.errors
    found = {hit.canary for hit in findings.hits if FIELDS[WAYS[int(hit.canary[2:])].kind] in hit.roles}
    left_out = BEYOND.get(container, frozenset())
    return [
        Missed(container, encoding, way)
        for number, way in enumerate(WAYS)
        if f"c-{number}" not in found and way.name not in left_out
    ]
