"""Rows of a live table: streamed, found by key, inserted and deleted, always as text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import (
    Connection,
    Insert,
    Row,
    TableClause,
    and_,
    column,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    true,
)

from canary.steps.live_model import Key, LiveTable
from canary.steps.live_model import Row as TextRow
from canary.steps.live_tongue import Cell, Tongue

if TYPE_CHECKING:
    from canary.files import RowBatch

STREAM_ROWS: Final = 10_000
LOOKUP_CELLS: Final = 4_000  # well below the 32,766 parameters of a statement that SQLite takes
T = TypeVar("T")


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut items into lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


@dataclass(frozen=True)
class LiveRows:
    """The rows of one table within one transaction."""

    connection: Connection
    tongue: Tongue
    table: LiveTable

    @property
    def _place(self) -> TableClause:
        return place_of(self.table.schema, self.table.name, self.table.headings)

    def count(self) -> int:
        """Count the rows."""
        return int(self.connection.scalar(select(func.count()).select_from(self._place)) or 0)

    def batches(self, headings: Sequence[str]) -> Iterator[RowBatch]:
        """Stream the table in the order of its key as batches of text, by a server-side cursor."""
        import pyarrow as pa

        from canary.files import RowBatch

        schema = pa.schema([(name, pa.string()) for name in headings])
        start = 0
        for rows in self._stream(headings):
            cells = zip(*rows, strict=True)
            arrays = [pa.array(list(map(self.tongue.spell, each)), pa.string()) for each in cells]
            yield RowBatch(start, pa.RecordBatch.from_arrays(arrays, schema=schema), None)
            start += len(rows)

    def _stream(self, headings: Sequence[str]) -> Iterator[Sequence[Row[Any]]]:
        wanted = self._selected(headings).order_by(*(_column(name) for name in self.table.key))
        options = {"stream_results": True, "max_row_buffer": STREAM_ROWS}
        with self.connection.execution_options(**options).execute(wanted) as result:
            yield from result.partitions(STREAM_ROWS)

    def _selected(self, headings: Sequence[str]) -> Any:
        texts = [self._text(name).label(f"c{at}") for at, name in enumerate(headings)]
        return select(*texts).select_from(self._place)

    def _text(self, name: str) -> Any:
        return self.tongue.as_text(self.table.column(name), _column(name))

    def greatest(self, name: str, others: Mapping[str, str]) -> int:
        """Give the greatest number of a column among the rows that share other cells, 0 without any."""
        where = self._matching(tuple(others), [tuple(others.values())]) if others else true()
        found = self.connection.scalar(select(func.max(_column(name))).select_from(self._place).where(where))
        return int(found or 0)

    def fetch(self, keys: Iterable[Key]) -> dict[Key, TextRow]:
        """Give the rows that stand at these keys; keys without a row are left out."""
        headings = self.table.headings
        at = [headings.index(name) for name in self.table.key]
        found: dict[Key, TextRow] = {}
        for some in chunks(keys, LOOKUP_CELLS // len(at)):
            where = self._matching(self.table.key, some)
            for row in self.connection.execute(self._selected(headings).where(where)):
                cells = [self.tongue.spell(value) for value in row]
                found[tuple(str(cells[place]) for place in at)] = dict(zip(headings, cells, strict=True))
        return found

    def existing(self, columns: Sequence[str], tuples: Collection[Key]) -> set[Key]:
        """Tell which of these combinations of cells the table holds."""
        found: set[Key] = set()
        for some in chunks(tuples, LOOKUP_CELLS // len(columns)):
            wanted = self._selected(columns).where(self._matching(columns, some))
            found |= {
                tuple(str(self.tongue.spell(value)) for value in row)
                for row in self.connection.execute(wanted)
            }
        return found

    def some(self, count: int) -> list[TextRow]:
        """Give some whole rows, drawn at random."""
        by_chance = func.rand() if self.connection.dialect.name in ("mysql", "mariadb") else func.random()
        keys = self._selected(self.table.key).order_by(by_chance).limit(count)
        found = [
            tuple(str(self.tongue.spell(cell)) for cell in row) for row in self.connection.execute(keys).all()
        ]
        return list(self.fetch(found).values())

    def holding(self, columns: Sequence[str], tuples: Collection[Key], most: int) -> list[TextRow]:
        """Give whole rows that hold one of these combinations of cells, in the order of the key, at most so many."""
        headings, order = self.table.headings, [_column(name) for name in self.table.key]
        found: list[TextRow] = []
        for some in chunks(tuples, LOOKUP_CELLS // len(columns)):
            wanted = self._selected(headings).where(self._matching(columns, some)).order_by(*order)
            for row in self.connection.execute(wanted.limit(most - len(found))):
                found.append(dict(zip(headings, map(self.tongue.spell, row), strict=True)))
        return found

    def _matching(self, columns: Sequence[str], tuples: Sequence[Key]) -> Any:
        return self.matching_as(columns, columns, tuples)

    def matching_as(self, columns: Sequence[str], like: Sequence[str], tuples: Sequence[Key]) -> Any:
        """Compare columns, maybe of another table, with cells of the same types as columns of this one."""
        cells = [self._cells(like, each) for each in tuples]
        return matching(columns, [each for each in cells if each is not None])

    def _cells(self, columns: Sequence[str], texts: Sequence[str]) -> tuple[object, ...] | None:
        """Turn a combination into what the driver takes; None where no cell can hold it."""
        try:
            return tuple(
                self.tongue.as_cell(self.table.column(name), text)
                for name, text in zip(columns, texts, strict=True)
            )
        except ValueError:
            return None

    def insert(self, row: TextRow) -> Key:
        """Insert one row and give its key, read back where the database gives it."""
        missing = [name for name in self.table.key if row.get(name) is None]
        if missing:
            given = self._given(row, missing)
            return tuple(str(given.get(name, row.get(name))) for name in self.table.key)
        return self.insert_all([row])[0]

    def insert_all(self, rows: Sequence[TextRow]) -> list[Key]:
        """Insert rows and give their keys: at once where they bring their keys and have the same columns."""
        alike = len({tuple(row) for row in rows}) == 1
        if not alike or any(row.get(name) is None for row in rows for name in self.table.key):
            return [self.insert(row) for row in rows]
        self.connection.execute(self._inserting(rows[0]), [self._values(row) for row in rows])
        return [tuple(str(row[name]) for name in self.table.key) for row in rows]

    def _inserting(self, row: TextRow) -> Insert:
        return insert(place_of(self.table.schema, self.table.name, tuple(row)))

    def _values(self, row: TextRow) -> dict[str, object]:
        return {name: self.tongue.as_cell(self.table.column(name), text) for name, text in row.items()}

    def _given(self, row: TextRow, missing: Sequence[str]) -> dict[str, str]:
        statement, values = self._inserting(row), self._values(row)
        if self.connection.dialect.insert_returning:
            texts = [self._text(name).label(f"c{at}") for at, name in enumerate(missing)]
            found = self.connection.execute(statement.returning(*texts), values).one()
            return {name: str(self.tongue.spell(value)) for name, value in zip(missing, found, strict=True)}
        return {missing[0]: str(self.connection.execute(statement, values).lastrowid)}

    def delete(self, keys: Iterable[Key]) -> int:
        """Delete the rows at these keys and give their number."""
        gone = 0
        for some in chunks(keys, LOOKUP_CELLS // len(self.table.key)):
            gone += self.connection.execute(
                delete(self._place).where(self._matching(self.table.key, some))
            ).rowcount
        return gone


def place_of(schema: str | None, name: str, headings: Sequence[str]) -> TableClause:
    """Name a table and its columns for statements; SQLAlchemy quotes what needs it."""
    return table(name, *(column(each, Cell()) for each in headings), schema=schema)


def matching(columns: Sequence[str], tuples: Sequence[tuple[object, ...]]) -> Any:
    """Compare columns with combinations of cells."""
    if not tuples:
        return false()
    if len(columns) == 1:
        return _column(columns[0]).in_([each[0] for each in tuples])
    return or_(
        *(
            and_(*(_column(name) == _bound(cell) for name, cell in zip(columns, each, strict=True)))
            for each in tuples
        )
    )


def _column(name: str) -> Any:
    return column(name, Cell())


def _bound(value: object) -> Any:
    return literal(value, Cell())
