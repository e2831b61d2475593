"""An incident through the command line: seen, traced from what is kept, reported, closed."""

from __future__ import annotations

import pytest

from canary.scan import engine

PHONES = [f"140{n:08d}" for n in range(60)]


@pytest.fixture
def seen(canary, tmp_path, made_once):
    """A leak of acme's copy that the watch saw in a drop folder; gives its incident."""

    def work():
        for one in ("acme", "globex"):
            canary("recipient", "add", one, "--kind", "partner")
        canary("contact", "add", "email-domain", "post.example.net")
        (tmp_path / "phones.csv").write_text("kind,value\n" + "".join(f"phone,{one}\n" for one in PHONES))
        canary("contact", "import", "phones.csv")
        stock = ("--count", 400, "--seed", 4, "--mail-domain", "people.example")
        canary("generate", "waybill", *stock, "-o", "w.csv")
        for one in ("acme", "globex"):
            canary("tag", "w.csv", "-r", one, "-o", f"{one}.csv", "--canaries", 6)
        dumps = tmp_path / "home" / "dumps"
        dumps.mkdir()
        with (tmp_path / "home" / "config.toml").open("a") as config:
            config.write('\n[monitors.dumps]\nkind = "drop"\npath = "dumps"\n')
        (tmp_path / "acme.csv").rename(dumps / "leak.csv")
        canary("watch", "--once")

    made_once(work)
    [incident] = canary("incident", "list", "--json").json
    return incident["id"]


def test_a_trace_of_an_incident_takes_what_the_watch_has_read(canary, seen, monkeypatch):
    first = canary("trace", seen, "--json").json
    assert [one["recipient"] for one in first["suspects"] if one["status"] == "named"] == ["acme"]

    def never(*_, **__):
        raise AssertionError("the bytes were read again")

    monkeypatch.setattr(engine, "scan_bytes", never)
    again = canary("trace", seen, "--json").json
    assert again["suspects"] == first["suspects"]


def test_canaries_issued_since_make_a_trace_read_again(canary, seen, monkeypatch):
    canary("tag", "w.csv", "-r", "globex", "-o", "more.csv", "--canaries", 9)  # three are new
    read = []
    real = engine.scan_bytes
    monkeypatch.setattr(engine, "scan_bytes", lambda *given: read.append(given[1]) or real(*given))
    answer = canary("trace", seen, "--json").json
    assert len(read) == 1
    assert [one["recipient"] for one in answer["suspects"] if one["status"] == "named"] == ["acme"]


def test_closing_spends_the_canaries_and_their_phones(canary, seen, tmp_path):
    def states():
        return {one["value"]: one["state"] for one in canary("contact", "list", "--json").json}

    assert set(states().values()) == {"free", "in use"}
    canary("incident", "close", seen)
    spent = {value for value, state in states().items() if state == "spent"}
    assert 0 < len(spent) < len(PHONES)
    assert states()["post.example.net"] == "in use"
    canary("tag", "w.csv", "-r", "globex", "-o", "later.csv", "--canaries", 40)
    before = set((tmp_path / "w.csv").read_text("utf-8").splitlines())
    planted = [
        line for line in (tmp_path / "later.csv").read_text("utf-8").splitlines() if line not in before
    ]
    assert len(planted) == 40
    assert not any(phone in line for phone in spent for line in planted)
    assert canary("incident", "list", "--json").json[0]["state"] == "closed"


@pytest.mark.parametrize("format", ["text", "md", "html", "json"])
def test_a_report_in_every_format_names_the_source(canary, seen, tmp_path, format):
    canary("trace", seen)
    for language in ("zh", "en"):
        target = tmp_path / f"report.{language}.{format}"
        canary("report", seen, "--format", format, "--lang", language, "--output", target)
        assert "acme" in target.read_text("utf-8")
