"""Seedings that fail late, meet each other, or are half undone: what is left is always accounted for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError

from canary.errors import OutsideError, UsageError
from canary.model.canary import ReleaseState
from canary.model.people import Contact, ContactKind, Recipient, RecipientKind
from canary.steps import seed as step
from canary.steps import seed_record
from canary.steps import unseed as unseeding
from canary.steps.seed import SeedRequest, seed
from canary.steps.seed_settle import Recovered, recover
from canary.steps.tools import Tools
from canary.steps.unseed import unseed
from canary.store import canaries as canary_store
from canary.store import contacts, issuing, recipients, releases
from canary.store.registry import Registry

from .conftest import Place
from .test_seed import asked, content, persons, states

pytestmark = pytest.mark.usefixtures("plain")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Place]:
    """A SQLite database with persons whose branch is checked only when a transaction commits."""
    path = tmp_path / "live.db"
    sqlite3.connect(path).close()
    engine = create_engine(f"sqlite:///{path}")
    place = Place("sqlite", f"sqlite:///{path}", engine)
    place.run("CREATE TABLE branch (id INTEGER PRIMARY KEY)")
    more = ", branch INTEGER DEFAULT 9, FOREIGN KEY (branch) REFERENCES branch (id) DEFERRABLE INITIALLY DEFERRED"
    yield persons(place, more=more)
    engine.dispose()


def test_a_refusal_at_the_commit_undoes_the_release_and_burns_its_canaries(file: Place, tools: Tools) -> None:
    with pytest.raises(OutsideError, match="FOREIGN KEY"):
        seed(tools, asked(file, request="q"))
    assert len(content(file)) == 50
    with tools.registry.read() as tx:
        (release,) = releases.list_all(tx)
        assert seed_record.never_planted(release)
        assert all(canary.burned_ms for _, canary in canary_store.of_release(tx, release.id))
    file.run("INSERT INTO branch VALUES (9)")
    assert seed(tools, asked(file, request="q")).canaries == 7
    assert states(tools) == [ReleaseState.UNDONE, ReleaseState.DONE]


def test_a_connection_lost_at_the_commit_leaves_the_release_to_the_next_call(
    file: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(connection: Connection) -> None:
        raise OperationalError("COMMIT", None, Exception("server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "commit", lost)
        with pytest.raises(OutsideError, match="server closed the connection") as caught:
            seed(tools, asked(file))
    assert "half-done" in caught.value.hint
    assert states(tools) == [ReleaseState.PENDING]
    assert len(recover(tools).undone) == 1
    assert len(content(file)) == 50


def test_a_value_that_was_issued_before_is_drawn_again(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons(place)
    whole, calls = issuing.issue, []

    def colliding(*arguments: object, **more: object) -> list[bytes]:
        calls.append(1)
        if len(calls) == 2:  # the first call is the ghosts'
            raise issuing.Collision(("email",), ())
        return whole(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(issuing, "issue", colliding)
    assert seed(tools, asked(place)).canaries == 7
    assert len(content(place)) == 57
    assert states(tools) == [ReleaseState.DONE]


def test_values_that_always_collide_are_given_up(
    file: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    def colliding(*_: object, **__: object) -> list[bytes]:
        raise issuing.Collision(("email",), ())

    monkeypatch.setattr(issuing, "issue", colliding)
    with pytest.raises(OutsideError, match="no free values"):
        seed(tools, asked(file))
    assert len(content(file)) == 50


def test_two_calls_of_one_request_plant_once(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call begins while the first has not recorded anything yet."""
    persons(place)
    whole, first = step.learn, []

    def overtaken(*arguments: object) -> object:
        drawer = whole(*arguments)  # type: ignore[arg-type]
        if not first:
            first.append(None)
            first.append(seed(tools, asked(place, request="q")))
        return drawer

    monkeypatch.setattr(step, "learn", overtaken)
    assert seed(tools, asked(place, request="q")) == first[1]
    assert len(content(place)) == 57


def test_two_calls_that_take_out_one_release(
    file: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call comes between the first one's deletion and its entry."""
    file.run("INSERT INTO branch VALUES (9)")
    release = str(seed(tools, asked(file)).release)
    whole, second = unseeding._record, []

    def overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(unseeding, "_record", whole)
        second.append(unseed(tools, release))
        whole(*arguments)

    monkeypatch.setattr(unseeding, "_record", overtaken)
    with pytest.raises(UsageError, match="was taken out already"):
        unseed(tools, release)
    assert len(second[0].missing) == 7
    assert states(tools) == [ReleaseState.UNDONE]


def test_an_unseeding_cut_off_before_its_entry_is_completed_by_the_next(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons(place)
    release = str(seed(tools, asked(place)).release)
    with monkeypatch.context() as patch:
        patch.setattr(seed_record, "take_back", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            unseed(tools, release)
    assert states(tools) == [ReleaseState.DONE]
    taken = unseed(tools, release)
    assert (taken.removed, len(taken.missing)) == (0, 7)
    assert states(tools) == [ReleaseState.UNDONE]


def test_a_row_that_a_trigger_keeps_stops_the_unseeding(file: Place, tools: Tools) -> None:
    file.run(
        "INSERT INTO branch VALUES (9)",
        "CREATE TRIGGER keep BEFORE DELETE ON person WHEN OLD.id = 52 BEGIN SELECT RAISE(IGNORE); END",
    )
    release = str(seed(tools, asked(file)).release)
    with pytest.raises(OutsideError, match="let go 6 of 7 rows"):
        unseed(tools, release)
    assert len(content(file)) == 57


def test_exports_are_not_unseeded(file: Place, tools: Tools) -> None:
    file.run("INSERT INTO branch VALUES (9)")
    release = str(seed(tools, asked(file)).release)
    with tools.registry.begin() as tx:
        known = releases.get(tx, release)
        assert known is not None
        from dataclasses import replace

        releases.update_from(tx, replace(known, kind="export"))
    with pytest.raises(UsageError, match="is an export"):
        unseed(tools, release)


def test_a_half_done_request_whose_rows_fit_no_more_is_refused(
    file: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.run("INSERT INTO branch VALUES (9)")
    with monkeypatch.context() as patch:
        patch.setattr(step, "_commit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seed(tools, asked(file, request="q"))
    file.run("CREATE TRIGGER no BEFORE INSERT ON person BEGIN SELECT RAISE(ABORT, 'closed'); END")
    with pytest.raises(OutsideError, match="no canary satisfies"):
        seed(tools, asked(file, request="q"))
    assert states(tools) == [ReleaseState.PENDING]
    file.run("DROP TRIGGER no")
    assert seed(tools, asked(file, request="q")).canaries == 7
    assert len(content(file)) == 57


@pytest.mark.postgresql
def test_a_registry_on_a_server_serves_as_well(postgresql_url: str, file: Place, tools: Tools) -> None:
    from dataclasses import replace

    file.run("INSERT INTO branch VALUES (9)")
    registry = Registry.create(postgresql_url, tools.keys)
    team = replace(tools, registry=registry)
    with registry.begin() as tx:
        recipients.add_many(tx, [Recipient("acme", RecipientKind.PARTNER)])
        contacts.add(tx, Contact(ContactKind.EMAIL_DOMAIN, "mail.example.org"))
    first = seed(team, asked(file, request="q"))
    assert seed(team, asked(file, request="q")) == first
    with registry.begin() as tx:
        releases.set_state(tx, str(first.release), ReleaseState.PENDING)
    assert recover(team) == Recovered(finished=(str(first.release),))
    with pytest.raises(UsageError, match="the registry's own database"):
        seed(team, SeedRequest(postgresql_url, "releases", "acme", 1))
    assert unseed(team, str(first.release)).removed == 7
    registry.close()
