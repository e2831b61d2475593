"""CEF as its readers take it apart: fields of the header by pipes, those of the extension by equals signs."""

from __future__ import annotations

import re

from canary.alerts import letter
from canary.alerts.letter import Alert
from canary.alerts.syslog import Syslog

NASTY = "a|b=c\\d\r\ne"


def cef(alert: Alert) -> tuple[list[str], dict[str, str]]:
    """Take a CEF line apart as ArcSight's guide says."""
    line = Syslog("udp", "h", 514, "cef", "host", lambda: 0).line(alert).decode()
    text = line[line.index("CEF:") :]
    *header, rest = re.split(r"(?<!\\)\|", text, maxsplit=7)
    head = [re.sub(r"\\([\\|])", r"\1", part) for part in header]
    names = list(re.finditer(r"(?:^| )(\w+)(?<!\\)=", rest))
    ends = [match.start() for match in names[1:]] + [len(rest)]
    values = {match[1]: rest[match.end() : end] for match, end in zip(names, ends, strict=True)}
    plain = {"\\n": "\n", "\\r": "\r", "\\=": "=", "\\\\": "\\"}
    return head, {
        name: re.sub(r"\\[nr=\\]", lambda found: plain[found[0]], value) for name, value in values.items()
    }


def test_an_alarm_whose_source_has_a_nasty_name_comes_through_whole() -> None:
    body = letter.source_body(NASTY, "it fails", 0)
    head, values = cef(Alert("k", letter.SOURCE, None, body))
    assert head == ["CEF:0", "canary", "canary", "1", "source.alarm", "source.alarm", "8"]
    assert values == {"externalId": "-", "msg": f"canary source {NASTY} needs care: it fails"}


def test_pipes_in_the_header_are_escaped() -> None:
    head, values = cef(Alert("k", "x|y\n\\z", "i|1=2", "{}"))
    assert head[4:6] == ["x|y \\z", "x|y \\z"]
    assert head[6] == "4"
    assert values["externalId"] == "i|1=2"


def test_a_line_of_rfc5424_is_one_line() -> None:
    alert = Alert("k", letter.SOURCE, None, letter.source_body(NASTY, "it fails", 0))
    line = Syslog("udp", "h", 514, "rfc5424", "host", lambda: 0).line(alert)
    assert b"\n" not in line
    assert b"\r" not in line
    assert line.startswith(b"<105>1 ")


def test_channels_that_fail_and_mend_are_told_in_a_sentence() -> None:
    said = letter.sentence(
        Alert("k", letter.BROKEN, None, letter.channel_body(letter.BROKEN, "webhook:ops", 0))
    )
    assert said == "canary alert channel webhook:ops does not deliver since 1970-01-01T00:00:00Z"
    said = letter.sentence(
        Alert("k", letter.MENDED, None, letter.channel_body(letter.MENDED, "webhook:ops", 0))
    )
    assert "delivers again" in said
