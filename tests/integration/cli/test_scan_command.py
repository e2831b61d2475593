"""`canary scan` as a person uses it: threads, resume, standard input, addresses, records and retro-hunts."""

import gzip
import io
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from canary.scan import units
from canary.steps import rehunt
from tests.packed import zipped


@pytest.fixture
def tagged(canary, made_once, tmp_path):
    """A home with one export of 20 canaries, and its canary rows."""

    def work():
        canary("recipient", "add", "acme", "--kind", "partner")
        canary("contact", "add", "email-domain", "post.example.net")
        canary(
            "generate",
            "waybill",
            "--count",
            300,
            "--seed",
            3,
            "--mail-domain",
            "p.example",
            "--output",
            "w.csv",
        )
        canary("tag", "w.csv", "--recipient", "acme", "--canaries", 20, "--output", "acme.csv")

    made_once(work)
    real = set((tmp_path / "w.csv").read_text("utf-8").splitlines())
    return [line for line in (tmp_path / "acme.csv").read_text("utf-8").splitlines() if line not in real]


def strong(said):
    return {one["canary"] for one in said.json["matches"] if one["strength"] == "strong"}


def test_threads_and_stretches_find_the_same(canary, tagged, tmp_path, monkeypatch):
    monkeypatch.setattr(units, "UNIT", 8 << 10)
    monkeypatch.setattr(units, "SHARED", 8 << 10)
    monkeypatch.setattr(units.units_of, "__defaults__", (8 << 10,))
    folder = tmp_path / "leaks"
    folder.mkdir()
    (folder / "all.csv").write_bytes((tmp_path / "acme.csv").read_bytes())
    (folder / "all.zip").write_bytes(zipped((tmp_path / "acme.csv").read_bytes()))
    assert len([one for one in units.units_of([folder / "all.csv"]) if one.span]) > 3
    one = canary("scan", "leaks", "--json")
    two = canary("scan", "leaks", "--threads", 2, "--json")
    key = lambda match: (match["canary"], match["file"], match["member"], match["offset"])  # noqa: E731
    assert sorted(map(key, one.json["matches"])) == sorted(map(key, two.json["matches"]))
    assert len(strong(two)) == 20
    assert (two.json["files"], two.json["bytes"]) == (one.json["files"], one.json["bytes"])
    assert "1 to 64" in canary("scan", "leaks", "--threads", 0, status=2).err


def test_an_interrupted_scan_goes_on_where_it_was(canary, tagged, tmp_path, monkeypatch):
    monkeypatch.setattr(units.units_of, "__defaults__", (2000,))
    for number in range(5):
        text = "\n".join(tagged[4 * number : 4 * number + 4])
        (tmp_path / f"part{number}.csv").write_bytes(text.encode().ljust(3000))  # one unit each
    parts = [f"part{number}.csv" for number in range(5)]
    read = []
    real = units.read_unit

    def twice(unit, *rest):
        if len(read) == 2:
            raise KeyboardInterrupt
        read.append(unit.files[0].name)
        real(unit, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(units, "read_unit", twice)
        canary("scan", *parts, "--resume", status=130)
    (kept,) = (tmp_path / "home" / "scans").iterdir()
    data = kept.read_bytes()
    assert not any(cell.encode() in data for cell in tagged[0].split(",") if len(cell) > 8)
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(data + b"half a line")
    again = []
    with monkeypatch.context() as patch:
        patch.setattr(
            units, "read_unit", lambda unit, *rest: (again.append(unit.files[0].name), real(unit, *rest))
        )
        said = canary("scan", *parts, "--resume", "--json")
    assert sorted([*read, *again]) == parts
    assert len(strong(said)) == 20
    assert list((tmp_path / "home" / "scans").iterdir()) == []


def test_standard_input_is_scanned_and_nothing_is_left(canary, tagged, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    packed = zipped("\n".join(tagged).encode("gb18030"))

    class Stdin:
        buffer = io.BytesIO(packed)

    monkeypatch.setattr(sys, "stdin", Stdin)
    said = canary("scan", "-", "--json", "--exit-code", status=1)
    assert len(strong(said)) == 20
    assert {(one["file"], one["member"]) for one in said.json["matches"]} == {("-", "rows.txt")}
    assert list((tmp_path / "tmp").iterdir()) == []


class Page(BaseHTTPRequestHandler):
    pages: ClassVar[dict[str, bytes]] = {}

    def do_GET(self):
        body = self.pages.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_addresses_are_fetched_politely_alone(canary, tagged, tmp_path, site):
    Page.pages = {"/leak.gz": gzip.compress("\n".join(tagged).encode())}
    refused = canary("scan", f"{site}/leak.gz", "--json")
    assert refused.json["errors"][0]["reason"].endswith("which is refused")
    config = tmp_path / "home" / "config.toml"
    allowed = config.read_text("utf-8").replace("allow_addresses = []", 'allow_addresses = ["127.0.0.0/8"]')
    config.write_text(allowed, "utf-8")
    said = canary("scan", f"{site}/leak.gz", f"{site}/none", "--record", "--json")
    assert len(strong(said)) == 20
    assert [(one["file"], one["reason"]) for one in said.json["errors"]] == [(f"{site}/none", "answered 404")]
    assert said.json["recorded"]["sightings"] == 1
    (row,) = canary("sighting", "list", "--json").json
    assert row["item"] == f"{site}/leak.gz"


def test_what_is_found_is_recorded_once(canary, tagged, tmp_path):
    (tmp_path / "leak.csv").write_text("\n".join(tagged), "utf-8")
    (tmp_path / "clean.txt").write_text("nothing of ours", "utf-8")
    said = canary("scan", "leak.csv", "clean.txt", "--record")
    assert "recorded 1 sightings, opened i-" in said.err
    (row,) = canary("sighting", "list", "--json").json
    assert (row["source"], row["item"]) == ("scan", str(tmp_path / "leak.csv"))
    assert len({match["canary"] for match in row["matches"]}) == 20
    (incident,) = canary("incident", "list", "--json").json
    assert canary("trace", incident["id"], "--json").json["suspects"][0]["recipient"] == "acme"
    again = canary("scan", "leak.csv", "--record", "--json")
    assert again.json["recorded"] == {"sightings": 0, "incidents": []}
    assert len(canary("sighting", "list", "--json").json) == 1


def test_a_retro_hunt_finds_late_canaries_and_older_ones_count_as_controls(
    canary, tagged, tmp_path, monkeypatch
):
    dumps = tmp_path / "home" / "dumps"
    dumps.mkdir()
    with (tmp_path / "home" / "config.toml").open("a", encoding="utf-8") as config:
        config.write('\n[monitors.dumps]\nkind = "drop"\npath = "dumps"\n')
    canary("recipient", "add", "globex", "--kind", "partner")
    old = time.time() - 60
    for name, text in (("clean.txt", "nothing of ours"), ("leak.csv", "\n".join(tagged[:3]))):
        (dumps / name).write_text(text, "utf-8")
        os.utime(dumps / name, (old, old))
    canary("watch", "--once")
    first = canary("scan", "--kept", "--json")
    assert first.json["sightings"] == 2
    assert {one["new"] for one in first.json["matches"]} == {False}
    # a canary that is issued only now stands in what was kept before: it cannot have been leaked
    canary("tag", "w.csv", "--recipient", "globex", "--canaries", 3, "--output", "globex.csv")
    real = set((tmp_path / "w.csv").read_text("utf-8").splitlines())
    late = [line for line in (tmp_path / "globex.csv").read_text("utf-8").splitlines() if line not in real]
    (dumps / "more.csv").write_text("\n".join(late), "utf-8")
    os.utime(dumps / "more.csv", (old, old))
    canary("watch", "--once")
    forget_matches(tmp_path / "home" / "canary.db", "more.csv")
    shift_release(tmp_path / "home" / "canary.db", "globex", 3_600_000)
    said = canary(
        "scan", "--kept", "--since", "1d", "--threads", 2, "--record", "--json", "--exit-code", status=1
    )
    later = [one for one in said.json["matches"] if one["item"] == "more.csv"]
    assert {one["control"] for one in later} == {True}
    assert {tuple(one["recipients"]) for one in later} == {()}
    assert said.json["recorded"] == 0
    shift_release(tmp_path / "home" / "canary.db", "globex", -7_200_000)
    said = canary("scan", "--kept", "--record")
    assert "recorded 1 sightings" in said.err
    rows = {row["item"]: row for row in canary("sighting", "list", "--json").json}
    assert {match["recipients"][0] for match in rows["more.csv"]["matches"]} == {"globex"}
    assert canary("ledger", "verify", "--json").json["ok"]
    assert "recorded 0 sightings" in canary("scan", "--kept", "--record").err
    read: list[str] = []
    real = rehunt._read

    def twice(hunt, turn):
        if len(read) == 2:
            raise KeyboardInterrupt
        read.extend(turn.ids)
        return real(hunt, turn)

    monkeypatch.setattr(rehunt, "A_TURN", 1)
    with monkeypatch.context() as patch:
        patch.setattr(rehunt, "_read", twice)
        canary("scan", "--kept", status=130)
    with monkeypatch.context() as patch:
        patch.setattr(rehunt, "_read", lambda hunt, turn: (read.extend(turn.ids), real(hunt, turn))[1])
        assert canary("scan", "--kept", "--json").json["sightings"] == 3
    assert sorted(read) == sorted(row["id"] for row in rows.values())  # none of them twice


def forget_matches(database, item):
    """Make a sighting as it would be if its canaries had not been known when it was taken in."""
    import sqlite3

    with sqlite3.connect(database) as connection:
        connection.execute(
            "DELETE FROM matches WHERE sighting IN (SELECT serial FROM sightings WHERE item = ?)", [item]
        )
        connection.execute("UPDATE sightings SET incident = NULL WHERE item = ?", [item])
    connection.close()


def shift_release(database, recipient, ms):
    import sqlite3

    with sqlite3.connect(database) as connection:
        connection.execute(
            "UPDATE releases SET created_ms = created_ms + ? WHERE recipient = ?", [ms, recipient]
        )
    connection.close()


def test_wrong_use_is_told(canary):
    assert "nothing to scan" in canary("scan", status=2).error
    assert "--since goes with --kept" in canary("scan", "x", "--since", "1d", status=2).error
    assert "and no paths" in canary("scan", "x", "--kept", status=2).error
    assert "not a time" in canary("scan", "--kept", "--since", "yesterday", status=2).error
    assert canary("scan", "--kept", "--since", "2026-01-01", "--json").json["sightings"] == 0
