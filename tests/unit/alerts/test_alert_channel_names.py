"""The names that an alarm is addressed to are those under which the watch delivers."""

from __future__ import annotations

import json

import pytest

from canary.alerts import letter
from canary.alerts.letter import Alert
from canary.alerts.names import channel_names
from canary.alerts.syslog import Syslog
from canary.daemon.settings import read_channels
from canary.errors import UsageError

ALERTS = {
    "webhook": [{"url": "https://ops.example/hook", "secret": "s"}, {"name": "two", "url": "u://x", "secret": "s"}],
    "syslog": [{"address": "udp://127.0.0.1"}, {"address": "tcp://log.example:601", "format": "cef"}],
    "apprise": [{"url": "dingtalk://token"}],
}  # fmt: skip


def test_the_names_are_those_of_the_channels() -> None:
    hooks = [{**one, "url": "https://ops.example/hook"} for one in ALERTS["webhook"]]
    made = read_channels({"alerts": {**ALERTS, "webhook": hooks}}, lambda *_: None, "host", lambda: 0)  # type: ignore[arg-type, return-value]
    assert channel_names(ALERTS) == tuple(one.name for one in made)
    assert len(made) == 5


def test_no_channel_has_no_name() -> None:
    assert channel_names({}) == ()
    with pytest.raises(UsageError):
        channel_names({"syslog": [{"address": "ftp://x"}]})


def test_the_alarm_names_the_caller_and_no_value() -> None:
    body = letter.suppress_body("nightly", 40, 1_700_000_000_000)
    assert json.loads(body) == {
        "event": "suppress.alarm", "incident": None, "caller": "nightly", "rows": 40,
        "time": "2023-11-14T22:13:20Z",
    }  # fmt: skip
    alert = Alert("k", letter.SUPPRESS, None, body)
    assert (
        letter.sentence(alert) == "canary suppress stopped caller nightly: look into it before it is lifted"
    )
    line = Syslog("udp", "127.0.0.1", 514, "rfc5424", "host", lambda: 0).line(alert)
    assert line.startswith(b"<105>1 ")  # as urgent as an opened incident
