"""Which exports held the leaked rows: counted, side evidence at most, and no mark is read where nobody had the row."""

import random

import pytest

from benchmarks.marks_trace import HEAD, host, read, write
from canary import wiring
from canary.fields.policy import parse_policy
from canary.model.people import Recipient, RecipientKind
from canary.steps import decoding
from canary.steps.inspect import inspect
from canary.steps.leaktables import tables_in
from canary.steps.releasing import GHOSTS
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.steps.trace import trace
from canary.store import marks, recipients

NAMES = ("east", "west", "both")


class World:
    def __init__(self, folder):
        wiring.make_home(folder / "home")
        self.folder, self.tools = folder, wiring.open_tools(folder / "home")
        with self.tools.registry.begin() as tx:
            recipients.add_many(tx, [Recipient(one, RecipientKind.PARTNER) for one in NAMES])
        rows = host(random.Random(5), 800)
        self.policy = parse_policy(inspect(str(write(folder / "w.csv", HEAD, rows)), None).policy)
        self.copies = {}
        for part, names in ((rows[:400], ("east", "both")), (rows[400:], ("west", "both"))):
            source = write(folder / f"{names[0]}.csv", HEAD, part)
            out = folder / f"to {names[0]}"
            request = TagRequest(str(source), names, str(out), policy=self.policy, canaries=5, many=True)
            tag(self.tools, request)
            self.copies |= {(names[0], one): read(out / f"{one}.csv") for one in names}

    def trace(self, rows):
        return trace(self.tools, [str(write(self.folder / "leak.csv", HEAD, rows))])

    def marks(self, rows):
        tables = tables_in([write(self.folder / "leak.csv", HEAD, rows)])
        return decoding.marks_in(self.tools, tables, decoding.Bar(1e-6))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("held"))
    yield made
    made.tools.registry.close()


def test_rows_of_an_export_are_recognised_and_counted_for_who_held_them(world):
    found = world.marks(world.copies["east", "east"][:300])
    assert found.recognised == pytest.approx(300, abs=12)
    assert len(found.scores) == len(NAMES) + GHOSTS, "who was never issued anything is scored as well"
    assert found.held["both"] == found.recognised
    assert found.held["east"] == pytest.approx(300, abs=12), (
        "what passes one filter by chance is another number"
    )
    assert found.held["west"] == 0


def test_an_answer_tells_them(world):
    answer = world.trace(world.copies["east", "both"][:200])
    assert answer.suspects[0].recipient == "both"
    assert answer.suspects[0].evidence.rows_held == answer.rows_recognised == pytest.approx(200, abs=9)


def test_a_foreign_table_has_no_row_of_ours(world):
    answer = world.trace(host(random.Random(99), 500))
    assert (answer.rows, answer.rows_recognised, answer.suspects) == (500, 0, ())


def test_no_mark_is_read_in_rows_that_nobody_had(world):
    leak = world.copies["east", "east"][:60]
    alone, mixed = world.marks(leak), world.marks([*leak, *host(random.Random(98), 400)])
    assert mixed.scores["east"].read <= 1.4 * alone.scores["east"].read
    assert mixed.scores["east"].agreeing >= alone.scores["east"].agreeing


def test_the_filters_are_kept_once_an_export_and_are_small(world):
    with world.tools.registry.read() as tx:
        version = marks.exports(tx)[0].version
        kept = marks.filters(tx, version)
        assert len(marks.exports(tx)) == 4
    assert [len(bits) for _, bits in kept] == [len(kept[0][1])] * 2
    assert 400 <= len(kept[0][1]) <= 3 * 400 + 8


def test_where_an_export_has_no_filter_nothing_is_said_of_rows(world):
    from sqlalchemy import delete

    from canary.store.tables import row_filters

    with world.tools.registry.begin() as tx:
        kept = tx.conn.execute(row_filters.select()).mappings().all()
        tx.conn.execute(delete(row_filters))
    try:
        found = world.marks(world.copies["east", "east"][:50])
        assert found.recognised is None
        assert found.scores["east"].rows_held is None
        assert found.scores["east"].agreeing > 50
    finally:
        with world.tools.registry.begin() as tx:
            tx.conn.execute(row_filters.insert(), [dict(row) for row in kept])
