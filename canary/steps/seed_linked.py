"""Planting in several tables of one database: a canary customer with its orders, an order with its waybills."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

from sqlalchemy import Connection

from canary.errors import UsageError
from canary.steps.linked_draw import LinkedDrawer
from canary.steps.linked_learn import Families, learn_families
from canary.steps.linked_model import Stood, Web, web_of
from canary.steps.live_rows import LiveRows
from canary.steps.live_schema import children_of
from canary.steps.livedb import LiveDb
from canary.steps.seed_draw import HostDrawer, learn
from canary.steps.seed_model import LinkedResult, Planted, SeedRequest, shown_keys
from canary.steps.tools import Tools

DEEPEST: Final = 4  # steps from the root table that are followed
WIDEST: Final = 24  # tables
AT_LEAST: Final = 40  # rows that a linked table is learned for


@dataclass(frozen=True)
class Linked:
    """What was learned of the linked tables, ready to plant."""

    web: Web
    families: Families
    drawers: tuple[LinkedDrawer, ...]
    warnings: tuple[str, ...]
    rng: random.Random

    def place(self, db: LiveDb, connection: Connection, planted: Sequence[Planted]) -> list[Planted]:
        """Plant what belongs to planted root rows; gives all, the root's first, its ids before those that follow it."""
        level = [self._rooted(each) for each in planted]
        stood: dict[int, list[Stood]] = {0: [each for each in level if each is not None]}
        for at, drawer in enumerate(self.drawers, 1):
            rows = LiveRows(connection, db.tongue, drawer.table)
            stood[at] = drawer.place(rows, stood[drawer.link.parent])
        ids = dict[str, str]()
        for root in stood[0]:
            ids |= _ranked(root)
        every = [replace(each, table=self.web.root.label) for each in planted]
        every += [each.planted for at in range(1, len(stood)) for each in stood[at]]
        return [
            replace(each, canary=replace(each.canary, id=ids.get(each.canary.id, each.canary.id)))
            for each in every
        ]

    def _rooted(self, planted: Planted) -> Stood | None:
        moment = self.families.timing.moment(0, planted.canary.row)
        model = self.families.model(moment, self.rng)
        return None if model is None else Stood(model, planted, moment)

    def count(self, db: LiveDb, connection: Connection) -> int:
        """Count the rows of the linked tables."""
        return sum(LiveRows(connection, db.tongue, each.table).count() for each in self.drawers)

    def rows_expected(self, count: int) -> list[LinkedResult]:
        """Tell about how many rows a dry run would plant in each table."""
        return [
            LinkedResult(drawer.table.label, round(count * self.families.mean(drawer.at)), ())
            for drawer in self.drawers
        ]


def _ranked(root: Stood) -> Mapping[str, str]:
    """Give a family's ids anew, rising from the root: values count in the first canary that carries them."""
    order = sorted(root.all(), key=lambda each: each.kin.at)
    return dict(
        zip(
            (each.planted.canary.id for each in order),
            sorted(each.planted.canary.id for each in order),
            strict=True,
        )
    )


def rooted(db: LiveDb, request: SeedRequest) -> SeedRequest:
    """Name the table that the others belong to first, the others in the order of their references."""
    if not request.linked:
        return request
    web = web_at(db, (request.table, *request.linked))
    return replace(request, table=web.root.label, linked=tuple(link.table.label for link in web.links))


def web_at(db: LiveDb, tables: Sequence[str]) -> Web:
    """Reflect tables and how they refer to each other."""
    with db.reading(tables[0]) as connection:
        return web_of([db.reflect(connection, each) for each in tables])


def followed(db: LiveDb, table: str) -> tuple[str, ...]:
    """List the tables whose rows belong to a table's, directly or not, as foreign keys tell."""
    found: dict[str, None] = {}
    with db.reading(table) as connection:
        level = [db.reflect(connection, table)]
        first = level[0].label
        for _ in range(DEEPEST):
            names = [
                f"{schema}.{name}" if schema else name
                for each in level
                for schema, name, _ in children_of(connection, each)
            ]
            fresh = [each for each in dict.fromkeys(names) if each not in found and each != first]
            found |= dict.fromkeys(fresh)
            level = [db.reflect(connection, each) for each in fresh]
    if not found:
        raise UsageError(
            f"no table refers to {first}", "leave --linked out, or name the table that others refer to"
        )
    if len(found) > WIDEST:
        raise UsageError(f"{len(found)} tables belong to {first}", "name those that matter with --table")
    return tuple(found)


def learn_linked(tools: Tools, db: LiveDb, request: SeedRequest, root: HostDrawer) -> Linked:
    """Learn the linked tables: how rows belong together, then each table for as many rows as are expected."""
    rng = tools.new_rng()
    web = web_at(db, (request.table, *request.linked))
    families = learn_families(db, web, rng)
    warnings: list[str] = []
    roles = [root.drafter.profile.roles]
    drawers: list[LinkedDrawer] = []
    for at, link in enumerate(web.links, 1):
        expected = ceil(1.3 * request.count * families.mean(at))
        wanted = replace(
            request,
            table=link.table.label,
            linked=(),
            policy=None,
            dataset=None,
            count=max(4 * expected, AT_LEAST),
        )
        drawer = learn(tools, db, wanted, phones=expected)
        warnings += drawer.warnings
        roles.append(drawer.drafter.profile.roles)
        drawers.append(LinkedDrawer(at, link, drawer, families, roles, rng))
    if root.sample and not families.kin:
        warnings.append(f"no rows of {web.root.label} have few enough others: its canaries stand alone")
    return Linked(web, families, tuple(drawers), tuple(dict.fromkeys(warnings)), rng)


def told(web: Web, planted: Sequence[Planted]) -> tuple[LinkedResult, ...]:
    """Tell what was planted in each linked table."""
    found = []
    for link in web.links:
        keys = [each.key for each in planted if each.table == link.table.label]
        found.append(LinkedResult(link.table.label, len(keys), shown_keys(link.table, keys)))
    return tuple(found)
