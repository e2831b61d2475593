"""Reports in four formats and two languages against kept ones, and hostile names in all of them.

After a wanted change: CANARY_GOLDEN=write python -m pytest tests/unit/render
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from dataclasses import replace
from datetime import timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

from canary.errors import UsageError
from canary.model.canary import Release, ReleaseState
from canary.model.people import Recipient, RecipientKind
from canary.model.sight import Incident, Match, Sighting
from canary.model.verdict import EvidenceCount, Suspect, Trace
from canary.steps.render import FORMATS, LANGUAGES, LedgerState, Report, matched_canaries, render
from canary.steps.render.compose import ancestors, bound, chance
from canary.steps.render.document import clean
from canary.steps.render.plain import escape

GOLDEN = Path(__file__).parent / "golden"
OPENED = 1_714_550_400_000  # 2024-05-01 08:00:00 UTC
HOSTILE = (
    "x\x1b]0;pwned\x07\u202e<script>alert(1)</script>|`[a](javascript:b)`\n"
    "# www.evil.test http://evil.test {{7*7}}\x9b31m"
)


def match(canary, field, fields, strength="strong"):
    return Match(canary, field, fields, "plain", strength, f"r-{canary[2:]}", ("globex",))


def make_report() -> Report:
    sightings = (
        Sighting("s-aaaa", "dumps", "drop", "dump.csv", "data", None, OPENED, OPENED + 5000, "ab" * 32, 52_310,
                 matches=(match("c-1111", "email", ("email", "phone")),
                          match("c-2222", "waybill_no", ("waybill_no",)))),
        Sighting("s-bbbb", "smtp", "smtp", "msg-1", "mail", "secret-alias@ours.example", OPENED + 90_000_000,
                 OPENED + 90_000_000, "cd" * 32, 911, matches=(match("c-1111", "email", ("email",), "weak"),)),
    )  # fmt: skip
    suspects = (
        Suspect(
            "globex",
            "named",
            0.96,
            0.998,
            3.2e-41,
            "probable",
            ("r-1111",),
            EvidenceCount(18, 27, 40, 38),
        ),
        Suspect("initech", "shortlisted", 0.03, 0.08, 1.0, "lead", ("r-3333",), EvidenceCount(1, 1)),
    )
    explanation = (
        "19 canaries of ours stand in the leak (5,000 rows read)",
        "globex: 18 of its 160 canaries stand in the leak, by email (9), name+phone (9); 38 of 40 marks read agree; "
        "false accusation at most 4e-41",
        "globex: among the sources with probability 0.998, source of 96.0% of what can be attributed",
        "acme is not named: a deeper copy, of globex, explains the same canaries",
        "a source outside the registry: probability below 0.001",
        "registry or keys compromised: probability 0.002",
        "only releases made before the leak was first seen, 2024-05-01 08:00:00 UTC, count",
        "the bound counts 28 recipients, 8 ghosts among them; nobody is named above 1e-06",
    )
    trace = Trace("named", suspects, 0.0001, 0.002, 5000, None, ("broken.zip: not a zip file",), explanation)
    release = Release(
        "r-1111", "id", "waybills", "v", "globex", "export", ReleaseState.DONE, "in.csv", "out/globex.csv", "csv",
        80_000, 80_160, 160, 0, "11" * 32, "22" * 32, OPENED - 86_400_000 * 30, 17,
    )  # fmt: skip
    return Report(
        incident=Incident("i-abcdefghijklm", OPENED, "open", 28),
        trace=trace,
        made_ms=OPENED + 100_000_000,
        sightings=sightings,
        matches=matched_canaries(sightings),
        recipients=(
            Recipient("acme", RecipientKind.PARTNER, "Acme Logistics"),
            Recipient("globex", RecipientKind.PARTNER, "格洛贝克斯", parent="acme"),
            Recipient("initech", RecipientKind.ACCOUNT),
        ),
        releases=(release, replace(release, id="r-3333", recipient="initech", ledger_index=-1)),
        ledger=LedgerState(42, "33" * 32, True, checkpoint=True),
        zone=timezone(timedelta(hours=8)),
    )


def hostile_report() -> Report:
    """Put the hostile text wherever text from outside can stand."""
    report = make_report()
    suspects = tuple(replace(one, recipient=HOSTILE) for one in report.trace.suspects[:1])
    told = (HOSTILE, f"{HOSTILE} is not named: the bound on false accusation is above the limit")
    trace = replace(report.trace, suspects=suspects, errors=(HOSTILE,), explanation=told)
    sightings = tuple(
        replace(one, id=HOSTILE, source=HOSTILE, kind=HOSTILE, event=HOSTILE, sha256=HOSTILE)
        for one in report.sightings
    )
    return replace(
        report,
        incident=replace(report.incident, id=HOSTILE, state=HOSTILE),
        trace=trace,
        sightings=sightings,
        matches=tuple(
            replace(
                one,
                canary=HOSTILE,
                fields=(HOSTILE,),
                recipients=(HOSTILE,),
                release=HOSTILE,
                strength=HOSTILE,
            )
            for one in report.matches
        ),
        recipients=(Recipient(HOSTILE, RecipientKind.INSIDER, HOSTILE, parent=HOSTILE + "2"),),
        releases=tuple(
            replace(one, id=HOSTILE, recipient=HOSTILE, output=HOSTILE, sha256_out=HOSTILE)
            for one in report.releases
        ),
        ledger=LedgerState(1, HOSTILE, False, 0),
    )


class Page(HTMLParser):
    """Gathers the tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("format", FORMATS)
def test_a_report_is_the_kept_one(format, lang):
    got = render(make_report(), format, lang)
    kept = GOLDEN / f"report.{lang}.{format}"
    if os.environ.get("CANARY_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        kept.write_text(got, "utf-8")
    assert got == kept.read_text("utf-8")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("format", FORMATS)
def test_no_contact_or_canary_value_is_shown(format, lang):
    assert "secret-alias" not in render(make_report(), format, lang)
    assert "msg-1" not in render(make_report(), format, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("format", FORMATS)
def test_hostile_names_bring_no_control_characters(format, lang):
    got = render(hostile_report(), format, lang)
    assert {c for c in got if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} <= {"\n"}
    assert "evil" in got  # the name itself is not hidden


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_names_stay_text_in_html(lang):
    plain, page = Page(render(make_report(), "html", lang)), Page(render(hostile_report(), "html", lang))
    assert set(page.tags) == set(plain.tags)
    assert "script" not in page.tags
    assert not {"a", "img", "link", "iframe", "form"} & set(page.tags)
    assert not [
        name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "style")
    ]
    assert "<script>alert(1)</script>" in page.text
    assert "{{7*7}}" in page.text
    policy = (
        dict(page.attributes).get("content"),
        [value for name, value in page.attributes if name == "content"],
    )
    assert any(value and value.startswith("default-src 'none'; style-src 'sha256-") for value in policy[1])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hostile_names_stay_text_in_markdown(lang):
    got = render(hostile_report(), "md", lang)
    assert not re.search(r"(?<!\\)[<`\[]", got.replace("| --- |", ""))
    assert not re.search(r"(?<!\\)://", got)
    assert "www.evil" not in got
    for row in (line for line in got.split("\n") if line.startswith("|")):
        cells = len(re.findall(r"(?<!\\)\|", row)) - 1
        assert cells in (6, 8, 10)
    assert len(re.findall(r"^#", got, re.MULTILINE)) == len(
        re.findall(r"^#", render(make_report(), "md", lang), re.MULTILINE)
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_json_is_one_object_with_stable_names(lang):
    body = json.loads(render(make_report(), "json", lang))
    assert body["outcome"] == "named"
    assert body["suspects"][0]["recipient"] == "globex"
    assert body["suspects"][0]["parents"] == ["acme"]
    assert body["suspects"][0]["false_accusation"] == 3.2e-41
    assert body["matches"][0]["sightings"] == 2
    assert body["sightings"][0]["local_time"] == "2024-05-01 16:00:00+08:00"
    assert set(json.loads(render(make_report(), "json", "en"))) == set(
        json.loads(render(make_report(), "json", "zh"))
    )
    json.loads(render(hostile_report(), "json", lang))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_case_is_a_report_too(format, lang):
    report = Report(Incident("i-1", OPENED, "closed", 8), Trace("inconclusive", (), 0.9, 0.002, 0, 0), OPENED)
    got = render(report, format, lang)
    assert ("nobody is named" in got or "不认定" in got) or json.loads(got)["suspects"] == []


def test_a_shortlist_and_a_broken_ledger_are_said():
    report = make_report()
    listed = replace(report.trace, outcome="shortlisted", suspects=report.trace.suspects[1:])
    got = render(replace(report, trace=listed, ledger=LedgerState(9, "r", False, 4)), "text", "en")
    assert "more likely than not from among: initech" in got
    assert "NOT intact from entry 4" in got
    assert "truncation: not checkable" in got


def test_unknown_formats_and_languages_are_refused():
    with pytest.raises(UsageError, match="'pdf' is not a report format"):
        render(make_report(), "pdf", "en")
    with pytest.raises(UsageError, match="'fr' is not a report language"):
        render(make_report(), "text", "fr")


def test_ancestors_end_in_a_circle():
    known = {
        "a": Recipient("a", RecipientKind.PARTNER, parent="b"),
        "b": Recipient("b", RecipientKind.PARTNER, parent="c"),
        "c": Recipient("c", RecipientKind.PARTNER, parent="a"),
    }
    assert ancestors("a", known) == ["b", "c"]
    assert ancestors("unknown", known) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.2e-41, "4e-41"), (1.0, "1"), (3e-7, "3e-7"), (0.25, "3e-1"), (0.95, "1"), (1e-300, "2e-300")],
)
def test_bounds_are_rounded_up(value, text):
    assert bound(value) == text


def test_probabilities_claim_no_certainty():
    assert [chance(p) for p in (0.0, 0.25, 0.9999)] == ["< 0.001", "0.250", "> 0.999"]


def test_cleaning_and_escaping():
    assert clean("a\tb\u200b\x00c\u2028d") == "a bc d"
    assert escape("- x") == "\\- x"
    assert escape("1. x") == "1\\. x"
    assert escape("0.998 of 1.5") == "0.998 of 1.5"
    assert escape("a-b_c") == "a-b\\_c"
