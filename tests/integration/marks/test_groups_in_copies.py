"""Group canaries in copies: they stand in several, spelt as each one's real rows, and name who compared copies."""

import random
import re

import pytest

from benchmarks.marks_trace import HEAD, host, read, write
from canary import wiring
from canary.fields.policy import parse_policy
from canary.model.people import Recipient, RecipientKind
from canary.steps.inspect import inspect
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.steps.trace import trace
from canary.store import canaries, recipients

NAMES = [f"r{number}" for number in range(6)]


class World:
    def __init__(self, folder):
        wiring.make_home(folder / "home")
        self.folder = folder
        self.tools = wiring.open_tools(folder / "home")
        with self.tools.registry.begin() as tx:
            recipients.add_many(tx, [Recipient(one, RecipientKind.PARTNER) for one in NAMES])
        self.source = write(folder / "w.csv", HEAD, host(random.Random(5), 700))
        proposed = inspect(str(self.source), None).policy
        self.policy = parse_policy(re.sub(r"group_canaries = \S+", "group_canaries = 0.9", proposed))
        self.real = {row[0] for row in read(self.source)}

    def tag(self, names, folder, source=None):
        request = TagRequest(
            str(source or self.source), tuple(names), str(self.folder / folder), policy=self.policy, canaries=120,
            many=True,
        )  # fmt: skip
        return tag(self.tools, request)

    def copy(self, name, folder="out"):
        return {row[0]: row for row in read(self.folder / folder / f"{name}.csv")}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("groups"))
    made.told = made.tag(NAMES[:3], "out")
    yield made
    made.tools.registry.close()


def test_every_copy_has_the_count_that_was_asked_for(world):
    assert [one.canaries for one in world.told.releases] == [120, 120, 120]
    fakes = [set(world.copy(name)) - world.real for name in NAMES[:3]]
    assert all(len(one) == 120 for one in fakes)
    assert 12 <= len(fakes[0] & fakes[1]) <= 50
    assert fakes[0] & fakes[1] != fakes[0] & fakes[2]


def test_in_two_copies_they_are_spelt_as_differently_as_real_rows(world):
    one, other = world.copy(NAMES[0]), world.copy(NAMES[1])
    shared = (set(one) & set(other)) - world.real
    assert [key for key in one if key in shared] == [key for key in other if key in shared]
    assert sum(one[key] != other[key] for key in shared) >= 0.7 * len(shared)
    assert all(one[key][2:4] == other[key][2:4] for key in shared)


def test_the_same_call_gives_the_same_bytes(world):
    again = world.tag(NAMES[:3], "again")
    assert [one.sha256_out for one in again.releases] == [one.sha256_out for one in world.told.releases]


def test_later_copies_draw_from_the_same_pool(world):
    world.tag(NAMES[3:4], "later")
    mine = set(world.copy(NAMES[3], "later")) - world.real
    assert len(mine & (set(world.copy(NAMES[0])) - world.real)) >= 12
    with world.tools.registry.read() as tx:
        pool = canaries.of_recipient_dataset(tx, recipients.group_owner("w"), "w")
    assert len(pool) == pytest.approx(432, abs=20)


def test_who_compared_two_copies_is_named_by_what_both_have(world):
    one, other = world.copy(NAMES[0]), world.copy(NAMES[1])
    left = [[*one[key][:1], *one[key][2:4]] for key in one if key in other]
    answer = trace(world.tools, [str(write(world.folder / "leak.csv", [HEAD[0], *HEAD[2:4]], left))])
    named = {suspect.recipient for suspect in answer.suspects if suspect.status == "named"}
    assert named == set(NAMES[:2])
    assert answer.registry_compromised < 0.1


def test_whose_pool_was_issued_stands_in_the_ledger(world):
    from canary.store import journal

    with world.tools.registry.read() as tx:
        kinds = [entry.kind for entry in journal.entries(tx)]
    assert "groups" in kinds
