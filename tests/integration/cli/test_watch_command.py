"""watch, source and status as a person meets them."""

import gzip
import os

import pytest


@pytest.fixture
def watched(canary, tmp_path):
    """A home that watches a folder in which a file lies."""
    folder = tmp_path / "home" / "dumps"
    folder.mkdir()
    (folder / "a.txt").write_text("hello")
    os.utime(folder / "a.txt", (1, 1))
    with (tmp_path / "home" / "config.toml").open("a") as config:
        config.write('\n[monitors.dumps]\nkind = "drop"\npath = "dumps"\n')
        config.write('\n[monitors.gone]\nkind = "drop"\npath = "nowhere"\n')
    return canary


def test_a_home_without_sources_says_so(canary):
    said = canary("watch", "--once")
    assert (said.out, "no source is set up" in said.err) == ("", True)


def test_status_says_how_the_watch_fares(watched):
    assert "sources: 2 never\npolled by: no watch that runs\n" in watched("status").out
    said = watched("watch", "--once").out
    assert "dumps: 1 new items, 0 matches\n" in said
    said = watched("status").out
    assert "sources: 1 failing, 1 ok\n" in said
    assert "failing: gone: no folder 'nowhere' to watch" in said
    told = watched("status", "--json").json
    assert told["sightings"] == 1
    assert told["watch"] == {
        "leader": None, "sources": {"ok": 1, "failing": 1}, "alerts_oldest": 0.0, "channels_broken": [],
        "unread": 0, "unread_oldest": 0.0,
    }  # fmt: skip


def test_a_home_that_watches_nothing_says_so(canary):
    said = canary("status").out
    assert said.endswith("sources: none is set up\n")


def test_a_source_is_shown_whole(watched):
    assert watched("source", "show", "dumps", "--json").json["polls"] == 0
    watched("source", "run", "dumps")
    shown = watched("source", "show", "dumps", "--json").json
    listed = watched("source", "list", "--json").json[0]
    assert set(listed) == {"name", "kind", "state", "last_success", "lag", "gaps"}
    assert listed.items() - {("lag", listed["lag"])} <= shown.items()
    assert (shown["polls"], shown["items"], shown["breaker"], shown["skipped"]) == (1, 1, "closed", 0)
    assert "breaker         closed\n" in watched("source", "show", "dumps").out
    assert watched("source", "show", "none", status=2).error == "no source 'none' in config.toml"


def test_a_self_test_is_planted_and_comes_back(watched, tmp_path):
    planted = watched("source", "plant", "dumps", "--json").json
    assert planted["planted"]
    assert watched("source", "show", "dumps", "--json").json["self_test"] is None
    word = tmp_path / "home" / "dumps" / "canary-self-test.txt"
    assert word.read_text() == planted["word"] + "\n"
    os.utime(word, (2, 2))
    watched("source", "run", "dumps")
    assert watched("source", "show", "dumps", "--json").json["self_test"] == "ok"
    said = watched("source", "plant", "dumps")
    assert said.out != planted["word"] + "\n"
    assert "it is planted at dumps" in said.err
    assert watched("source", "show", "dumps", "--json").json["self_test"] == "pending"


def test_a_sighting_leaves_as_warc(watched):
    watched("watch", "--once")
    [seen] = watched("sighting", "list", "--json").json
    import subprocess
    import sys

    file = subprocess.run(
        [sys.executable, "-m", "canary", "sighting", "show", seen["id"], "--warc"],
        capture_output=True,
        check=True,
    ).stdout
    text = gzip.decompress(file)
    assert text.startswith(b"WARC/1.1\r\nWARC-Type: warcinfo\r\n")
    assert f"WARC-Payload-Digest: sha256:{seen['sha256']}\r\n".encode() in text
    assert text.endswith(b"\r\n\r\nhello\r\n\r\n")
