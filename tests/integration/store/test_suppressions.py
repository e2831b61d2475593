"""Suppression in the registry, on both databases: what is expected, what was met, and one budget for all."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import update

from canary.errors import SafetyError, UsageError
from canary.keys import Keys
from canary.ledger.note import Signer
from canary.model.canary import Canary, Placement, ReleaseState
from canary.model.suppress import Caller, Known
from canary.steps import suppress_gate
from canary.steps.suppress_find import Found
from canary.steps.suppress_gate import Asked
from canary.steps.tools import Tools
from canary.store import canaries, journal, outbox, releases, suppressions
from canary.store.registry import Registry
from canary.store.tables import releases as release_table
from tests.integration.store.conftest import make_canary, make_release


@dataclass
class Stopped:
    """A clock that stands still."""

    now: int = 10**12

    def now_ms(self) -> int:
        return self.now


@pytest.fixture
def tools(issued: Registry, keys: Keys, signer: Signer, tmp_path: Path) -> Tools:
    """Tools of a registry with two copies (canaries 1–4) and a seeding of canaries 5 and 6 in 100 rows."""
    seeding = replace(
        make_release(3, "core"), kind="seed", state=ReleaseState.DONE, rows_in=98, rows_out=100, canaries=2
    )
    with issued.begin() as tx:
        releases.add(tx, seeding)
        batch = [make_canary(number, "core") for number in (5, 6)]
        canaries.issue(tx, batch, [Placement(each.id, seeding.id, 0) for each in batch])
    config = {"alerts": {"webhook": [{"name": "ops"}]}, "suppress": {"copies": False}}
    return Tools(issued, keys, signer, Stopped(), random.SystemRandom, config, tmp_path)


def serial_of(tools: Tools, number: int) -> int:
    with tools.registry.read() as tx:
        keys = tools.keys.scan_keys("code", [f"YT{number:013d}"]).tolist()
        [(_, serial)] = suppressions.carriers(tx, keys)
        return serial


def known(tools: Tools, *numbers: int, recipients: tuple[str, ...] = ()) -> list[Known]:
    with tools.registry.read() as tx:
        return suppressions.known(tx, [serial_of(tools, number) for number in numbers], recipients)


def test_seeded_canaries_are_expected_and_those_of_copies_are_strays(tools: Tools) -> None:
    assert [(one.stray, one.seeded_ms) for one in known(tools, 1, 3, 5)] == [
        (True, 0),
        (True, 0),
        (False, 300),
    ]
    assert [one.stray for one in known(tools, 1, 3, 5, recipients=("acme",))] == [False, True, False]
    assert [one.dataset for one in known(tools, 5)] == ["waybills"]


def test_a_canary_that_came_along_in_a_copy_stays_expected(tools: Tools) -> None:
    with tools.registry.begin() as tx:
        canaries.issue(tx, [], [Placement("c-5", "r-1", 7, carried=True)])
    assert not known(tools, 5)[0].stray
    with tools.registry.begin() as tx:
        canaries.issue(tx, [], [Placement("c-3", "r-1", 8, carried=True)])
    assert known(tools, 3, recipients=("acme",))[0].stray  # bolt's, whoever carries it


def test_the_base_rate_is_that_of_what_is_expected(tools: Tools) -> None:
    with tools.registry.read() as tx:
        assert suppressions.shares(tx, ()) == {"waybills": 0.02}
        assert suppressions.shares(tx, ("acme",)) == {"waybills": pytest.approx(2 / 12)}
    more = replace(make_release(4, "core"), kind="seed", state=ReleaseState.DONE, rows_out=200, canaries=6)
    with tools.registry.begin() as tx:
        releases.add(tx, more)
    with tools.registry.read() as tx:
        assert suppressions.shares(tx, ()) == {"waybills": pytest.approx(8 / 200)}
    with tools.registry.begin() as tx:
        tx.conn.execute(update(release_table).where(release_table.c.id == "r-4").values(state="undone"))
    with tools.registry.read() as tx:
        assert suppressions.shares(tx, ()) == {"waybills": pytest.approx(6 / 200)}


def test_samples_and_policies(tools: Tools) -> None:
    with tools.registry.read() as tx:
        assert len(suppressions.samples(tx, ())) == 1
        assert len(suppressions.samples(tx, ("acme", "bolt"))) == 3
        assert suppressions.policies_of(tx, ["c-5", "c-9"]) == {"c-5": "policy = 1\n"}
        assert suppressions.carriers(tx, []) == []


def asked(caller: str = "nightly", budget: int = 1000) -> Asked:
    return Asked(caller, "shop", "a" * 64, "csv", budget)


def test_what_was_met_is_remembered_by_caller_and_time(tools: Tools) -> None:
    found = Found(10, (3,), tuple(known(tools, 5)))
    suppress_gate.charge(tools, asked(), found)
    suppress_gate.charge(tools, asked(), found)
    suppress_gate.charge(tools, asked("other"), Found(7, (), ()))
    now = tools.clock.now_ms()
    with tools.registry.read() as tx:
        assert suppressions.met_since(tx, "nightly", now) == {serial_of(tools, 5)}
        assert suppressions.met_since(tx, "nightly", now + 1) == set()
        assert suppressions.met_since(tx, "other", 0) == set()
        assert suppressions.rows_since(tx, "nightly", now) == 20
        assert suppressions.checked_before(tx, "nightly", "a" * 64)
        assert not suppressions.checked_before(tx, "nightly", "b" * 64)


def test_the_alarm_is_stored_with_what_it_announces(tools: Tools) -> None:
    strays = Found(10**6, (), tuple(known(tools, 1, 2, 3)))
    with pytest.raises(SafetyError, match="nightly is stopped"):
        suppress_gate.charge(tools, asked(budget=10**7), strays)
    with pytest.raises(SafetyError, match="nightly is stopped"):
        suppress_gate.charge(tools, asked(), Found())
    with pytest.raises(SafetyError, match="nightly is stopped"):
        suppress_gate.admit(tools, "nightly", "shop", 1000)
    with tools.registry.read() as tx:
        [letter] = outbox.list_all(tx)
        assert (letter.channel, letter.event) == ("webhook:ops", "suppress.alarm")
        outcomes = [each.text.count('"outcome":"alarm"') for each in journal.entries(tx)]
        assert sum(outcomes) == 1
        assert suppressions.rows_since(tx, "nightly", 0) == 0  # what was refused is not charged
        assert suppressions.met_since(tx, "nightly", 0) == set()


def test_strays_are_summed_over_files_and_forgiven_by_a_lift(tools: Tools) -> None:
    clock = tools.clock
    assert isinstance(clock, Stopped)
    for number in (1, 2):
        suppress_gate.charge(tools, asked(), Found(10, (), tuple(known(tools, number))))
    with pytest.raises(SafetyError):
        suppress_gate.charge(tools, asked(), Found(10, (), tuple(known(tools, 3))))
    clock.now += 1
    suppress_gate.lift(tools, "nightly")
    suppress_gate.charge(tools, asked(), Found(10, (), tuple(known(tools, 3))))
    with pytest.raises(UsageError, match="not stopped"):
        suppress_gate.lift(tools, "nightly")
    with pytest.raises(UsageError, match="no caller 'x'"):
        suppress_gate.lift(tools, "x")


def test_what_an_operator_allows_later_is_no_stray_any_more(tools: Tools) -> None:
    for number in (1, 2):
        suppress_gate.charge(tools, asked(), Found(10, (), tuple(known(tools, number))))
    suppress_gate.allow(tools, "nightly", None, None, ("acme",))
    suppress_gate.charge(tools, asked(), Found(10, (), tuple(known(tools, 3, recipients=("acme",)))))
    changed = suppress_gate.allow(tools, "nightly", "shop", 5, None)
    assert changed == Caller("nightly", "shop", 5, ("acme",), added_ms=tools.clock.now_ms())


def test_callers_at_the_same_time_share_one_budget(tools: Tools) -> None:
    said: list[str] = []

    def call() -> None:
        try:
            suppress_gate.charge(tools, asked(budget=50), Found(10, (), ()))
            said.append("answered")
        except SafetyError:
            said.append("refused")

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["answered"] * 5 + ["refused"] * 3
    with tools.registry.read() as tx:
        assert suppressions.rows_since(tx, "nightly", 0) == 50
        assert journal.verify(tx, tools.signer.public).ok
        assert [one.name for one in suppressions.callers(tx)] == ["nightly"]


def test_a_canary_is_a_noun_of_the_store(tools: Tools) -> None:
    """The serials given are those by which canaries are opened."""
    with tools.registry.read() as tx:
        [one] = canaries.by_serials(tx, [serial_of(tools, 5)])
    assert isinstance(one, Canary)
    assert one.id == "c-5"
