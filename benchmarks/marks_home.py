"""A home of many recipients who all hold a copy of one table: each of them can be named by a trace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import insert, select

from canary import wiring
from canary.model.people import Recipient, RecipientKind
from canary.steps.tools import Tools
from canary.store import recipients
from canary.store.tables import releases


def home_of(folder: Path, names: Sequence[str]) -> Tools:
    """Make a home whose recipients have these names."""
    wiring.make_home(folder / "home")
    tools = wiring.open_tools(folder / "home")
    with tools.registry.begin() as tx:
        recipients.add_many(tx, [Recipient(one, RecipientKind.PARTNER) for one in names])
    return tools


def hold_all(tools: Tools, names: Sequence[str]) -> None:
    """Give everybody who has none a release of the input that the first release was made from."""
    with tools.registry.begin() as tx:
        first = dict(tx.conn.execute(select(releases).order_by(releases.c.serial)).mappings().first() or {})
        held = set(tx.conn.scalars(select(releases.c.recipient)))
        del first["serial"]
        rows = [
            {**first, "id": f"r-{name}", "identity": f"of {name}", "recipient": name, "canaries": 0}
            for name in names
            if name not in held
        ]
        if rows:
            tx.conn.execute(insert(releases), rows)
