"""Linked tables: which rows belong to which, and real rows with all that belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from canary.errors import UsageError
from canary.steps.live_model import Key, LiveTable, Reference, Row
from canary.steps.seed_model import Planted


@dataclass(frozen=True, slots=True)
class Link:
    """A table of a set whose rows belong to rows of the table at `parent`, by `reference`.

    `others` are its further references into the set, each with the place of the table it names.
    """

    table: LiveTable
    parent: int
    reference: Reference
    others: tuple[tuple[Reference, int], ...] = ()

    @property
    def referring(self) -> frozenset[str]:
        """The columns by which a row refers into the set."""
        references = (self.reference, *(each for each, _ in self.others))
        return frozenset(name for each in references for name in each.columns)


@dataclass(frozen=True, slots=True)
class Web:
    """A root table and the links of the others, each after the tables that its rows belong to."""

    root: LiveTable
    links: tuple[Link, ...]

    @property
    def tables(self) -> tuple[LiveTable, ...]:
        """All tables, the root first: places count from it."""
        return (self.root, *(link.table for link in self.links))

    def below(self, parent: int) -> Iterator[tuple[int, Link]]:
        """Give the links to the table at a place, each with its own place."""
        return ((at, link) for at, link in enumerate(self.links, 1) if link.parent == parent)


@dataclass(frozen=True, slots=True)
class Kin:
    """A real row of the table at a place, the moment it speaks of (microseconds), and the rows that belong to it."""

    at: int
    row: Row
    moment: int | None = None
    children: tuple[Kin, ...] = ()

    @property
    def size(self) -> int:
        """How many rows there are in all."""
        return 1 + sum(child.size for child in self.children)


@dataclass
class Stood:
    """A planted row after the model of a real one: its moment, what it belongs to, and what belongs to it."""

    kin: Kin
    planted: Planted
    moment: int | None = None
    parent: Stood | None = None
    children: list[Stood] = field(default_factory=list)

    def line(self) -> Iterator[Stood]:
        """Give what the row belongs to, the nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def all(self) -> Iterator[Stood]:
        """Give the row and all that belongs to it."""
        yield self
        for child in self.children:
            yield from child.all()


def web_of(tables: Sequence[LiveTable]) -> Web:
    """Order tables by what refers to what; raises UsageError unless all rows belong to those of one table."""
    waiting, ordered = sorted(tables, key=lambda each: each.label), list[LiveTable]()
    while waiting:
        free = [each for each in waiting if not _into(each, [one for one in waiting if one is not each])]
        if not free:
            names = ", ".join(each.label for each in waiting)
            raise UsageError(f"the tables {names} refer to each other in a circle", "leave one of them out")
        ordered += free
        waiting = [each for each in waiting if each not in free]
    links = [_link(each, ordered[:at]) for at, each in enumerate(ordered) if at]
    return Web(ordered[0], tuple(links))


def _link(table: LiveTable, above: Sequence[LiveTable]) -> Link:
    found = _into(table, above)
    if not found:
        raise UsageError(
            f"{table.label} refers to none of the other tables",
            "give tables that foreign keys link, or seed it apart",
        )
    reference, parent = max(found, key=lambda each: each[1])
    others = tuple((one, at) for one, at in found if at != parent)
    return Link(table, parent, reference, others)


def _into(table: LiveTable, others: Sequence[LiveTable]) -> list[tuple[Reference, int]]:
    """Give the references of a table into a set, one a table, those that are never empty first."""
    found: dict[int, Reference] = {}
    for reference in sorted(table.references, key=lambda each: _may_be_empty(table, each)):
        for at, other in enumerate(others):
            if names(reference, other):
                found.setdefault(at, reference)
    return [(reference, at) for at, reference in found.items()]


def _may_be_empty(table: LiveTable, reference: Reference) -> bool:
    return any(table.column(name).nullable for name in reference.columns)


def names(reference: Reference, table: LiveTable) -> bool:
    """Tell whether a reference names a table; one without a schema stands in the default one."""
    same_schema = reference.schema == table.schema or None in (reference.schema, table.schema)
    return reference.table == table.name and same_schema


def cells(row: Row, columns: Sequence[str]) -> Key | None:
    """Give some cells of a row, None where one is empty."""
    found = tuple(row.get(name) for name in columns)
    return None if None in found else tuple(str(cell) for cell in found)
