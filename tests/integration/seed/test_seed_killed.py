"""A seeding killed at named moments: no canary without its ledger entry, none twice, settled by the next call.

Random moments are in tests/kill/test_kill_seed.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from canary.model.canary import ReleaseState
from canary.steps.seed import SeedRequest, seed
from canary.steps.seed_settle import Recovered, recover
from canary.steps.tools import Tools
from canary.steps.unseed import unseed
from canary.store import canaries as canary_store
from canary.store import journal, releases

from .conftest import Place
from .killed import STOPS
from .test_seed import content, persons

pytestmark = pytest.mark.usefixtures("plain")

COUNT = 40
SCRIPT = Path(__file__).with_name("killed.py")
UNCOMMITTED = {"before it is recorded", "while it is recorded", "before the database commits"}


def start(place: Place, tools: Tools, request: str, stop: str, count: int = COUNT) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(SCRIPT), str(tools.folder), place.url, request, str(count), stop]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.wait(60)
    assert process.stdout is not None
    process.stdout.close()


def account(place: Place, tools: Tools) -> None:
    """Check that the rows that were not there before are exactly the canaries of the releases that are done."""
    with tools.registry.read() as tx:
        known = releases.list_all(tx)
        written = "".join(each.text for each in journal.entries(tx) if each.kind == "seed")
        mails = [
            str(canary.row["mail"])
            for release in known
            if release.state == ReleaseState.DONE
            for _, canary in canary_store.of_release(tx, release.id)
        ]
    assert all(release.id in written for release in known)
    assert ReleaseState.PENDING not in {release.state for release in known}
    standing = [mail for (mail,) in place.all("SELECT mail FROM person WHERE mail LIKE '%@mail.example.org'")]
    assert sorted(standing) == sorted(mails)
    assert len(content(place)) == 50 + len(mails)


@pytest.mark.parametrize("stop", STOPS)
def test_a_killed_request_is_finished_by_the_same_call(place: Place, tools: Tools, stop: str) -> None:
    end(start(persons(place), tools, "q-1", stop))
    assert len(content(place)) == (50 if stop in UNCOMMITTED else 50 + COUNT)
    with tools.registry.read() as tx:
        begun = [each.id for each in releases.list_all(tx)]
    result = seed(tools, SeedRequest(place.url, "person", "acme", COUNT, request="q-1"))
    assert begun in ([], [result.release])
    assert len(content(place)) == 50 + COUNT
    account(place, tools)
    assert unseed(tools, str(result.release)).removed == COUNT
    assert len(content(place)) == 50


@pytest.mark.parametrize(
    "stop", ["while it is recorded", "before the database commits", "after the database committed"]
)
def test_a_killed_seeding_is_settled_by_the_next_call(place: Place, tools: Tools, stop: str) -> None:
    end(start(persons(place), tools, "", stop))
    seed(tools, SeedRequest(place.url, "person", "ops", 3))
    assert len(content(place)) == (53 if stop in UNCOMMITTED else 53 + COUNT)
    account(place, tools)


def test_a_seeding_at_work_is_left_alone(place: Place, tools: Tools) -> None:
    """While the lock of a pending release is held, nobody settles it."""
    end(start(persons(place), tools, "", "before the database commits"))
    with tools.registry.read() as tx:
        (release,) = releases.list_all(tx)
    if place.kind != "sqlite":
        with place.db.writing() as connection:
            assert place.db.tongue.lock(connection, release.id)
            assert recover(tools) == Recovered(waiting=(release.id,))
    assert recover(tools) == Recovered(undone=(release.id,))
    account(place, tools)


def test_a_target_out_of_reach_is_left_for_later(place: Place, tools: Tools, tmp_path: Path) -> None:
    end(start(persons(place), tools, "", "after the database committed"))
    place.run("ALTER TABLE person RENAME TO away")
    other = tmp_path / "other.db"
    import sqlite3

    sqlite3.connect(other).close()
    with tools.registry.read() as tx:
        (release,) = releases.list_all(tx)
    assert recover(tools) == Recovered(waiting=(release.id,))
    place.run("ALTER TABLE away RENAME TO person")
    result = unseed(tools, release.id)
    assert result.removed == COUNT
    assert len(content(place)) == 50
