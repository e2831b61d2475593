"""New canaries stand among the rows that are new in a later export: comparing two exports shows none of them."""

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
from canary.store import recipients


class World:
    def __init__(self, folder, share):
        wiring.make_home(folder / "home")
        self.folder, self.tools = folder, wiring.open_tools(folder / "home")
        with self.tools.registry.begin() as tx:
            recipients.add_many(tx, [Recipient(one, RecipientKind.PARTNER) for one in ("acme", "globex")])
        self.rows = host(random.Random(8), 600)
        may = write(folder / "may.csv", HEAD, self.rows[:400])
        self.policy = parse_policy(
            re.sub(r"group_canaries = \S+", f"group_canaries = {share}", inspect(str(may), None).policy)
        )
        self.may, _ = self.tag(may, "may")
        self.june, self.warnings = self.tag(write(folder / "june.csv", HEAD, self.rows), "june")

    def tag(self, source, name, canaries=0.05):
        output = self.folder / f"{name}-acme.csv"
        request = TagRequest(
            str(source), ("acme",), str(output), policy=self.policy, dataset="waybills", canaries=canaries
        )
        warnings = tag(self.tools, request).warnings
        return [row[0] for row in read(output)], warnings


@pytest.fixture(scope="module", params=[0.0, 0.5])
def world(request, tmp_path_factory):
    made = World(tmp_path_factory.mktemp("new"), request.param)
    yield made
    made.tools.registry.close()


def test_old_ones_stand_again_and_new_ones_only_beside_new_rows(world):
    real, old = [row[0] for row in world.rows], {row[0] for row in world.rows[:400]}
    before, after = ([key for key in keys if key not in set(real)] for keys in (world.may, world.june))
    assert len(before) == 20
    assert set(before) <= set(after)
    assert 28 <= len(after) <= 32
    for key in set(after) - set(before):
        at = world.june.index(key)
        neighbours = [one for one in world.june[max(0, at - 4) : at + 5] if one in set(real)]
        assert set(neighbours) - old, "a new canary stands among rows of the earlier export alone"
    assert not any("earlier export" in told for told in world.warnings)


def test_where_there_is_no_new_row_it_is_said(world):
    keys, warnings = world.tag(
        write(world.folder / "again.csv", HEAD, world.rows[:400]), "again", canaries=30
    )
    assert len(keys) == 430
    assert any("earlier export" in told for told in warnings)
