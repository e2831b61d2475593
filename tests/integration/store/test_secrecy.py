"""Nothing that identifies anybody stands in clear in the database's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from canary.keys import Keys
from canary.ledger.note import Signer
from canary.model.canary import Canary, CanaryField, Placement, Release, ReleaseState
from canary.model.data import DatasetVersion
from canary.model.people import Contact, ContactKind, Recipient, RecipientKind
from canary.model.sight import Match, Sighting
from canary.store import canaries, contacts, datasets, incidents, journal, recipients, releases, sightings
from canary.store.registry import Registry

SECRETS = {
    "phone": "15412349876",
    "alias": "li.xiaowei.83k@mail-owned.example",
    "domain": "mail-owned.example",
    "waybill": "YT9988776655443",
    "name": "李小伟甲",
    "address": "浙江省杭州市西湖区文三路八十八号",
    "caller": "13912345678",
    "subject": "快递催收通知",
    "key": "primary-key-77123",
    "target": "seed-target-password",
    "suspect": "0.98765432123",
}


def fill(registry: Registry, signer: Signer) -> None:
    secret = SECRETS
    fields = (
        CanaryField("phone", "电话", secret["phone"], secret["phone"], 12.0, shared=True),
        CanaryField("email", "邮箱", secret["alias"], secret["alias"], 36.0),
        CanaryField("waybill_no", "单号", secret["waybill"], secret["waybill"], 23.0),
        CanaryField("name_address", "地址", secret["address"], secret["name"] + secret["address"], 20.0),
    )
    row = {"姓名": secret["name"], "地址": secret["address"], "电话": secret["phone"]}
    canary = Canary("c-1", "acme", "waybills", "waybill", fields, row)
    release = Release(
        id="r-1", identity="x", dataset="waybills", version="f", recipient="acme", kind="seed",
        state=ReleaseState.DONE, input="", output="", format="", rows_in=0, rows_out=0, canaries=1, marked_cells=0,
        sha256_in="", sha256_out="", created_ms=1, target=secret["target"],
    )  # fmt: skip
    raw = "\n".join(secret.values()).encode()
    sighting = Sighting(
        "s-1", "mail", "smtp", "m-1", "mail", secret["caller"], 1, 1, hashlib.sha256(raw).hexdigest(), len(raw),
        {"subject": secret["subject"], "from": secret["caller"]},
    )  # fmt: skip
    with registry.begin() as tx:
        recipients.add(tx, Recipient("acme", RecipientKind.PARTNER))
        contacts.add(tx, Contact(ContactKind.PHONE, secret["phone"]))
        contacts.add(tx, Contact(ContactKind.EMAIL_DOMAIN, secret["domain"]))
        datasets.put_version(tx, DatasetVersion("f", "waybills", tuple(row), ""))
        releases.add(tx, release)
        canaries.issue(tx, [canary], [Placement("c-1", "r-1", 0, secret["key"])])
        sightings.add(tx, sighting, raw)
        sightings.add_match(tx, "s-1", Match("c-1", "email", ("email",), "plain", "strong"))
        opened = incidents.open(tx, 1)
        incidents.save_trace(tx, opened.id, {"probability": secret["suspect"]}, 1)
        journal.append(tx, "release", {"release": "r-1", "canaries": 1}, signer, 1)


def found_in(folder: Path) -> set[str]:
    whole = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    spellings = {
        name: [value.encode(code) for code in ("utf-8", "utf-16-le", "gb18030")]
        for name, value in SECRETS.items()
    }
    return {name for name, forms in spellings.items() if any(form in whole for form in forms)}


@pytest.mark.parametrize("closed", [True, False])
def test_sqlite_files_hold_no_secret_in_clear(
    tmp_path: Path, keys: Keys, signer: Signer, closed: bool
) -> None:
    registry = Registry.create(f"sqlite:///{tmp_path / 'canary.db'}", keys)
    try:
        fill(registry, signer)
        if not closed:
            assert (tmp_path / "canary.db-wal").stat().st_size > 0
            assert found_in(tmp_path) == set()
    finally:
        registry.close()
    assert found_in(tmp_path) == set()
    assert (
        b"waybills" in (tmp_path / "canary.db").read_bytes()
    )  # what is no secret can be seen: the search works


@pytest.mark.postgresql
def test_postgresql_dumps_hold_no_secret_in_clear(
    postgresql_url: str, keys: Keys, signer: Signer, tmp_path: Path
) -> None:
    registry = Registry.create(postgresql_url, keys)
    try:
        fill(registry, signer)
        with registry.read() as tx, (tmp_path / "dump").open("wb") as dump:
            from canary.store.tables import metadata

            for table in metadata.sorted_tables:
                for row in tx.conn.execute(table.select()):
                    for cell in row:
                        dump.write(cell if isinstance(cell, bytes) else str(cell).encode())
    finally:
        registry.close()
    assert found_in(tmp_path) == set()
    assert b"waybills" in (tmp_path / "dump").read_bytes()


def test_the_same_value_is_sealed_anew_each_time(keys: Keys, tmp_path: Path) -> None:
    from sqlalchemy import select

    from canary.store.tables import contacts as rows

    registry = Registry.create(f"sqlite:///{tmp_path / 'canary.db'}", keys)
    try:
        with registry.begin() as tx:
            contacts.add_many(
                tx, [Contact(ContactKind.PHONE, f"1540000{number:04d}") for number in range(50)]
            )
            sealed = tx.conn.scalars(select(rows.c.sealed)).all()
    finally:
        registry.close()
    assert len({each[:12] for each in sealed}) == 50
