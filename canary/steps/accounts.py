"""Accounts that touched a canary: whether the row was their own branch's, or nobody's who sits there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from canary.store import recipients, releases
from canary.store.tx import Tx

INSIDE: Final = "inside"
OUTSIDE: Final = "outside"
UNKNOWN: Final = "unknown account"


def branch_of(tx: Tx, account: str, canaries: Collection[str]) -> str | None:
    """Say whether an account touched canaries of its own line of the tree alone; None where nobody holds them.

    Its line is itself, those above it and those below it: a branch's rows are its accounts', and theirs are its.
    """
    holders = {one.recipient for one in releases.holders(tx, canaries)}
    if not holders:
        return None
    if recipients.get(tx, account) is None:
        return UNKNOWN
    above = {account, *recipients.ancestors(tx, account)}
    own = all(one in above or account in recipients.ancestors(tx, one) for one in holders)
    return INSIDE if own else OUTSIDE
