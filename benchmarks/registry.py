"""Measures the registry: import, issue, look-up, index, phones and ledger, with CPU time and peak memory.

Run as `python benchmarks/registry.py [--canaries N] [--recipients N] [--url URL]`; the default is SQLite in a
throw-away folder, and a URL must name an empty database.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from canary.keys import Keys, new_master
from canary.ledger.note import Signer
from canary.model.canary import Canary, CanaryField, Placement, Release, ReleaseState
from canary.model.data import DatasetVersion
from canary.model.people import Contact, ContactKind, Recipient, RecipientKind
from canary.store import canaries, contacts, datasets, journal, recipients, releases
from canary.store.ids import new_id
from canary.store.registry import Registry

LOOKUPS = 2_000
PHONES = 250_000
HEADINGS = (
    "运单号",
    "收件人姓名",
    "收件人电话",
    "收件地址",
    "邮箱",
    "重量",
    "下单时间",
    "城市",
    "金额",
    "备注",
)
LIMITS = {"issue 10,000": 4.0, "issue 250,000": 100.0, "look-up p95 (ms)": 5.0}


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def measured(name: str, items: int) -> Iterator[None]:
    """Print wall time, CPU time, rate and the process's peak memory of what runs within."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    limit = f"≤ {LIMITS[name]:.0f} s" if name in LIMITS else ""
    print(f"{name:<34}{wall:>9.2f}{cpu:>9.2f}{items / wall:>12,.0f}{peak_mib():>10.0f}  {limit}", flush=True)


def make_canaries(start: int, count: int, recipient: str) -> list[Canary]:
    return [make_canary(number, recipient) for number in range(start, start + count)]


def make_canary(number: int, recipient: str) -> Canary:
    phone, alias, waybill = f"154{number % PHONES:08d}", f"li.wei{number}@mail.example", f"YT{number:013d}"
    fields = (
        CanaryField("waybill_no", "运单号", waybill, waybill, 23.0),
        CanaryField("phone", "收件人电话", phone, phone, 17.9, shared=True),
        CanaryField("email", "邮箱", alias, alias, 36.0),
        CanaryField("name_address", "收件地址", "李伟", f"李伟浙江省杭州市{number}号", 30.0, shared=True),
    )
    cells = (
        waybill,
        "李伟",
        phone,
        f"浙江省杭州市西湖区文三路{number}号",
        alias,
        "1.2",
        "2024-05-01 08:30:00",
        "杭州",
    )
    row = dict(zip(HEADINGS, (*cells, "18.00", None), strict=True))
    return Canary(f"c-{number:013d}", recipient, "waybills", "waybill", fields, row, issued_ms=1)


def make_release(number: int, recipient: str, count: int) -> Release:
    digest = f"{number:064d}"
    return Release(
        id=new_id("r-"), identity=digest, dataset="waybills", version="0" * 64, recipient=recipient,
        kind="export", state=ReleaseState.DONE, input="in.csv", output="out.csv", format="csv", rows_in=1,
        rows_out=1, canaries=count, marked_cells=0, sha256_in=digest, sha256_out=digest, created_ms=number,
    )  # fmt: skip


def issue(registry: Registry, first: int, count: int) -> None:
    """Issue one release in one transaction, as `tag` does."""
    recipient = f"recipient-{first // 10_000}"
    batch = make_canaries(first, count, recipient)
    release = make_release(first + 1, recipient, count)
    places = [Placement(each.id, release.id, position) for position, each in enumerate(batch)]
    with measured(f"issue {count:,}", count), registry.begin() as tx:
        releases.add(tx, release)
        canaries.issue(tx, batch, places)


def people(registry: Registry, count: int) -> None:
    batch = [Recipient(f"recipient-{n}", RecipientKind.PARTNER, f"partner {n}") for n in range(count)]
    with measured(f"import {count:,} recipients", count), registry.begin() as tx:
        recipients.add_many(tx, batch)
    with measured("mark keys of all", count), registry.read() as tx:
        sum(1 for _ in recipients.mark_keys(tx))


def phones(registry: Registry) -> None:
    batch = [Contact(ContactKind.PHONE, f"154{n:08d}") for n in range(PHONES)]
    with measured(f"import {PHONES:,} phones", PHONES), registry.begin() as tx:
        contacts.add_many(tx, batch)
    rng = random.Random(1)
    for count in (200, 10_000, PHONES):
        with measured(f"take {count:,} phones", count), registry.begin() as tx:
            contacts.take_phones(tx, count, rng)


def timed_ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def look_up(registry: Registry, issued: int) -> None:
    rng = random.Random(2)
    with registry.read() as tx:
        values = [f"YT{rng.randrange(issued):013d}" for _ in range(LOOKUPS)]
        took = sorted(timed_ms(lambda v=value: canaries.by_value(tx, "waybill_no", v)) for value in values)
    print(f"look-up p50 {took[LOOKUPS // 2]:.2f} ms, p95 {took[LOOKUPS * 95 // 100]:.2f} ms (≤ 5 ms)")


def read_all(registry: Registry, issued: int) -> None:
    with measured("scan rows (identifiers)", issued * 4), registry.read() as tx:
        sum(1 for _ in canaries.scan_rows(tx))
    with measured("holdings", issued), registry.read() as tx:
        sum(1 for _ in canaries.holdings(tx))


def ledger(registry: Registry) -> None:
    signer = Signer(bytes(32))
    with measured("append 1,000 ledger entries", 1_000), registry.begin() as tx:
        for number in range(1_000):
            journal.append(tx, "sighting", {"sighting": f"s-{number}"}, signer, number)
    with measured("append 100,000 under one signature", 100_000), registry.begin() as tx:
        journal.append_many(tx, [("sighting", {"n": n}) for n in range(100_000)], signer, 1)
    with measured("verify 101,000 entries", 101_000), registry.read() as tx:
        assert journal.verify(tx, signer.public).ok


def run(url: str, wanted: int, count: int) -> None:
    registry = Registry.create(url, Keys(new_master()))
    print(f"{registry.engine.dialect.name:<34}{'wall s':>9}{'CPU s':>9}{'items/s':>12}{'peak MiB':>10}")
    try:
        people(registry, count)
        phones(registry)
        with registry.begin() as tx:
            datasets.put_version(tx, DatasetVersion("0" * 64, "waybills", HEADINGS, ""))
        issued = 0
        for size in (10_000, *[250_000] * (wanted // 250_000), 10_000):
            issue(registry, issued, size)
            issued += size
        look_up(registry, issued)
        read_all(registry, issued)
        ledger(registry)
    finally:
        registry.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--canaries", type=int, default=1_000_000)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--url", default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canary-benchmark-") as folder:
        run(given.url or f"sqlite:///{Path(folder) / 'canary.db'}", given.canaries, given.recipients)


if __name__ == "__main__":
    main()
