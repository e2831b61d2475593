import re
import stat

import pytest


def test_a_home_holds_keys_config_and_registry_for_nobody_else(canary, tmp_path):
    names = {path.name for path in (tmp_path / "home").iterdir()}
    assert {"master.key", "ledger.key", "config.toml", "canary.db"} <= names
    for path in (tmp_path / "home").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_a_second_init_is_refused_and_changes_nothing(canary, tmp_path):
    before = {path.name: path.read_bytes() for path in (tmp_path / "home").iterdir()}
    said = canary("init", status=2)
    assert "exists already" in said.error
    assert {path.name: path.read_bytes() for path in (tmp_path / "home").iterdir()} == before


def test_no_home_is_told_with_the_way_to_make_one(say, tmp_path):
    said = say("recipient", "list", "--home", tmp_path / "none")
    assert said.status == 2
    assert "canary init" in said.err
    assert said.out == ""


def test_an_empty_folder_may_become_a_home(say, tmp_path):
    (tmp_path / "empty").mkdir()
    assert say("init", "--home", tmp_path / "empty").status == 0


def test_init_into_a_place_that_cannot_be_leaves_nothing(say, tmp_path):
    (tmp_path / "file").touch()
    said = say("init", "--home", tmp_path / "file" / "home")
    assert said.status == 3
    assert said.error
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_wrong_database_leaves_no_half_made_home(say, tmp_path):
    said = say("init", "--home", tmp_path / "home", "--database", "postgresql://nobody@127.0.0.1:1/none")
    assert said.status == 3
    assert said.error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"zz", b"00" * 31])
def test_a_damaged_key_is_told(canary, tmp_path, damage):
    (tmp_path / "home" / "master.key").write_bytes(damage)
    assert "master key is damaged" in canary("recipient", "list", status=3).error


def test_another_homes_key_does_not_open_the_registry(canary, say, tmp_path):
    say("init", "--home", tmp_path / "other")
    (tmp_path / "home" / "master.key").write_bytes((tmp_path / "other" / "master.key").read_bytes())
    assert "master key" in canary("recipient", "list", status=3).error


def test_status_counts_and_doctor_finds_what_is_wrong(canary, tmp_path):
    canary("recipient", "add", "acme", "--kind", "partner")
    counts = canary("status", "--json").json
    assert counts["recipients"] == 1
    assert counts["ledger_entries"] == 2
    said = canary("doctor", status=1)
    assert "no mail domain" in said.out
    canary("contact", "add", "email-domain", "post.example.net")
    canary("doctor")
    (tmp_path / "home" / "master.key").chmod(0o644)
    assert "chmod 600" in canary("doctor", status=1).err


def test_home_is_taken_where_none_is_needed(say, tmp_path):
    for words in (("kind", "list"), ("kind", "show", "waybill"), ("demo", "--list")):
        assert say(*words, "--home", tmp_path / "none").status == 0


def test_ctrl_c_is_told(canary, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("canary.steps.status.counts", interrupted)
    assert canary("status", status=130).error == "interrupted"


def test_wrong_use_is_told_in_two_lines(say):
    for argv in (["nonsense"], ["recipient"], ["recipient", "add"], ["tag"], ["init", "--wrong"]):
        said = say(*argv)
        assert said.status == 2, argv
        assert said.error, argv
        assert said.out == ""


def test_every_command_has_an_example_and_takes_home_and_json(say):
    top = say("--help").out
    names = re.findall(r"^  ([a-z]+)  ", top.split("Commands:")[1], re.M)
    assert {"init", "demo", "tag", "seed", "watch", "trace", "report", "ledger"} <= set(names)
    for argv, shown in leaves(say, []):
        assert "Example: canary" in shown, argv
        assert "--home" in shown, argv
        assert "--json" in shown, argv


def leaves(say, argv):
    """Give each command below `argv` that has none below itself, with its help."""
    shown = say(*argv, "--help").out
    below = re.findall(r"^  ([a-z-]+)  ", shown.partition("Commands:")[2], re.M)
    return [leaf for name in below for leaf in leaves(say, [*argv, name])] or [(argv, shown)]
