"""A small registry in memory for tests of the scan: issued canaries, their index, and what opens them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from canary.fields.canonical import canonical, name_address
from canary.fields.roles import form_of
from canary.keys import Keys
from canary.model.canary import Canary, CanaryField
from canary.model.evidence import Findings
from canary.model.sight import Match
from canary.scan.budget import Budget
from canary.scan.engine import scan_bytes
from canary.scan.index import ArrayIndex
from canary.scan.matches import matches_of
from canary.scan.paths import scan_paths

KEYS = Keys(bytes(range(32)))


class Lab:
    """Issued canaries by serial; opens them as the registry would."""

    def __init__(self) -> None:
        self.canaries: dict[int, Canary] = {}
        self.opened = 0
        self._index: ArrayIndex | None = None

    def issue(self, *fields: CanaryField, row: dict[str, str | None] | None = None, id: str = "") -> Canary:
        serial = len(self.canaries) + 1
        cells = {field.column: field.value for field in fields} | (row or {})
        canary = Canary(id or f"c-{serial}", "acme", "waybills", "waybill", fields, cells)
        self.canaries[serial] = canary
        self._index = None
        return canary

    def open_canaries(self, serials: Sequence[int]) -> list[Canary]:
        self.opened += len(serials)
        return [self.canaries[serial] for serial in serials if serial in self.canaries]

    @property
    def index(self) -> ArrayIndex:
        if self._index is None:
            self._index = ArrayIndex.build(self.rows())
        return self._index

    def rows(self) -> list[tuple[int, int, str, float]]:
        return [
            (
                int(KEYS.scan_keys(str(form_of(field.role)), [field.canonical])[0]),
                serial,
                str(form_of(field.role)),
                field.bits,
            )
            for serial, canary in self.canaries.items()
            for field in canary.fields
            if form_of(field.role)
        ]

    def scan(self, data: bytes | str, name: str = "leak", budget: Budget | None = None) -> Findings:
        raw = data if isinstance(data, bytes) else data.encode()
        return scan_bytes(raw, name, self.index, self, KEYS, budget)

    def scan_files(self, *paths: Path, budget: Budget | None = None) -> Findings:
        return scan_paths(paths, self.index, self, KEYS, budget)

    def found(self, data: bytes | str) -> dict[str, dict[str, str]]:
        """Give, for each canary found, its roles with their transforms."""
        return {hit.canary: dict(hit.roles) for hit in self.scan(data).hits}

    def matches(self, findings: Findings) -> list[Match]:
        known = {canary.id: canary for canary in self.canaries.values()}
        return [match for _, match in matches_of(findings, self.index, known)]


def value(role: str, text: str, bits: float, column: str = "", *, shared: bool = False) -> CanaryField:
    plain = canonical(role, text)
    assert plain is not None
    return CanaryField(role, column or role, text, plain, bits, shared)


def who_where(name: str, address: str, bits: float = 25.0) -> CanaryField:
    plain = name_address(name, address)
    assert plain is not None
    return CanaryField("name_address", "收件地址", f"{name}|{address}", plain, bits)


PHONE = "14012345678"  # shared by both canaries
MAIL = "lin.mq82@mail.acme.cn"
WAYBILL = "YT7112345678901"
NAME = "张伟"
ADDRESS = "浙江省杭州市西湖区文一西路998号海创园18幢2单元501室"
OTHER_NAME = "李娜"
OTHER_ADDRESS = "上海市黄浦区北京东路12号3幢2单元901室"
OTHER_PHONE = "15412345699"  # the second one's alone


def two_canaries() -> Lab:
    """Two canaries that share a phone of the pool; the first has a mail and a waybill, the second its own phone."""
    lab = Lab()
    lab.issue(
        value("phone", PHONE, 10.0, "收件人电话", shared=True),
        value("email", MAIL, 40.0, "邮箱"),
        value("waybill_no", WAYBILL, 23.0, "运单号"),
        who_where(NAME, ADDRESS),
        row={"收件人姓名": NAME, "收件地址": ADDRESS},
        id="c-first",
    )
    lab.issue(
        value("phone", PHONE, 10.0, "收件人电话", shared=True),
        value("phone", OTHER_PHONE, 26.0, "寄件人电话"),
        who_where(OTHER_NAME, OTHER_ADDRESS),
        row={"收件人姓名": OTHER_NAME, "收件地址": OTHER_ADDRESS},
        id="c-second",
    )
    return lab
