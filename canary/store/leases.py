"""Leases: one holder at a time, by one conditional UPDATE; its token rises with every change of hands."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from canary.errors import OutsideError
from canary.store.clock import database_ms
from canary.store.rows import insert_new
from canary.store.tx import Tx
from canary.store.watchtables import leases


class Overtaken(OutsideError):
    """Another node has taken over meanwhile: what this one did since is not stored."""

    def __init__(self, what: str) -> None:
        super().__init__(f"another node has taken over {what}", "nothing to do: it goes on there")


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a lease, with which token, until when."""

    name: str
    holder: str
    token: int
    until_ms: int


def acquire(tx: Tx, name: str, holder: str, machine_ms: int, span_ms: int) -> int | None:
    """Take a lease that has run out and give its token; None while another node holds it."""
    insert_new(tx.conn, leases, {"name": name, "holder": "", "token": 0, "until_ms": 0})
    now = database_ms(tx, machine_ms)
    free = update(leases).where(leases.c.name == name, leases.c.until_ms <= now)
    values = {"holder": holder, "token": leases.c.token + 1, "until_ms": now + span_ms}
    if tx.conn.execute(free.values(values)).rowcount != 1:
        return None
    return int(tx.conn.execute(select(leases.c.token).where(leases.c.name == name)).scalar_one())


def renew(tx: Tx, name: str, token: int, machine_ms: int, span_ms: int) -> bool:
    """Hold a lease for another span; False where it was taken over."""
    mine = update(leases).where(leases.c.name == name, leases.c.token == token)
    until = database_ms(tx, machine_ms) + span_ms
    return tx.conn.execute(mine.values(until_ms=until)).rowcount == 1


def release(tx: Tx, name: str, token: int) -> None:
    """Give a lease back, so that another node need not wait for its end."""
    tx.conn.execute(update(leases).where(leases.c.name == name, leases.c.token == token).values(until_ms=0))


def check(tx: Tx, name: str, token: int) -> None:
    """Raise Overtaken unless the lease is still under this token; nobody takes it before the transaction ends."""
    wanted = select(leases.c.token).where(leases.c.name == name).with_for_update(read=True)
    if tx.conn.scalar(wanted) != token:
        raise Overtaken("the schedule")


def get(tx: Tx, name: str) -> Lease | None:
    """Give a lease, None where nobody ever had it."""
    row = tx.conn.execute(select(leases).where(leases.c.name == name)).one_or_none()
    return None if row is None else Lease(row.name, row.holder, row.token, row.until_ms)
