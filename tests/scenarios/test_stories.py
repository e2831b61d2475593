"""The cases behind the project, end to end through the public commands, at a size that a suite can bear."""

import contextlib
import io
import json

import pytest

from canary.cli.main import run
from canary.scenarios import stage, story

SCALES = {
    "yto_rented_accounts": 0.01,
    "pack_5000": 0.01,
    "ant_moving": 0.02,
    "report_on_demand": 0.1,
    "corporate_account_resumes": 0.1,
    "hospital_list": 0.2,
    "reseller_tree_161_99": 0.06,
    "vendor_master_account": 0.1,
}


def told(*argv):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = run([*argv])
    return status, out.getvalue()


def test_every_story_is_played_here():
    assert set(story.names()) == set(SCALES)


@pytest.mark.parametrize("name", sorted(SCALES))
def test_a_story_ends_with_the_truth(name):
    status, out = told("demo", "--scenario", name, "--scale", str(SCALES[name]), "--json")
    answer = json.loads(out)
    assert set(answer) == {"scenario", "truth", "outcome", "named", "ok", "seconds"}
    assert answer["truth"]
    assert answer["named"] == answer["truth"]
    assert (status, answer["ok"], answer["outcome"], answer["scenario"]) == (0, True, "named", name)


def test_stories_are_listed_the_default_first():
    listed = json.loads(told("demo", "--list", "--json")[1])
    assert listed[0]["name"] == story.DEFAULT == "yto_rented_accounts"
    assert all(set(one) == {"name", "summary"} and one["summary"] for one in listed)


def test_a_story_that_comes_out_wrong_is_told_and_fails(monkeypatch):
    honest = stage.compare
    monkeypatch.setattr(
        stage, "compare", lambda name, world, seconds: _blamed(world) or honest(name, world, seconds)
    )
    status, out = told("demo", "--scenario", "hospital_list", "--scale", "0.1")
    assert status == 1
    assert "WRONG" in out


def _blamed(world):
    world.truth.guilty = {"somebody-else"}


def test_the_leaker_never_sees_the_registry_and_the_answer_never_sees_the_truth():
    """Truth is read in one place: stage.compare. Acts write it, commands get only files and ids."""
    import inspect

    from canary.scenarios import acts, leaks, watching

    assert "truth" not in inspect.getsource(leaks) + inspect.getsource(watching)
    source = inspect.getsource(acts)
    reads = [line for line in source.splitlines() if "world.truth" in line]
    assert all(".update(" in line or ".add(" in line for line in reads), reads
