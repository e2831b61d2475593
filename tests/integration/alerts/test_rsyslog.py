"""Alerts by syslog as rsyslog takes them in, over UDP and TCP, as RFC 5424 and CEF."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from canary.alerts import letter
from canary.alerts.letter import Alert, News
from canary.alerts.syslog import Syslog
from tests.servers import answers, free_port, program, stop, until
from tests.watch_tools import NOW_MS
from tests.watch_tools import until as wait_until

pytestmark = pytest.mark.rsyslog
CONFIG = """
global(workDirectory="{folder}" maxMessageSize="64k")
module(load="imudp")
module(load="imtcp")
input(type="imudp" address="127.0.0.1" port="{port}")
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="whole" type="list") {{ property(name="jsonmesg") constant(value="\\n") }}
action(type="omfile" file="{folder}/got" template="whole")
"""


@dataclass
class Server:
    """A syslog server and what it took in, as it understood it."""

    port: int
    got: Path

    def taken(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: self.got.exists() and self.got.read_text().count("\n") >= count)
        return [json.loads(line) for line in self.got.read_text().splitlines()]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    port, log = free_port(), tmp_path / "log"
    (tmp_path / "rsyslog.conf").write_text(CONFIG.format(folder=tmp_path, port=port))
    command = [program("rsyslogd", "sbin/rsyslogd"), "-n", "-f", str(tmp_path / "rsyslog.conf"), "-i", "NONE"]
    with log.open("wb") as talk:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=talk, stderr=talk, env={"PATH": os.environ["PATH"]}
        )
    try:
        until(lambda: answers(port), process, log)
        yield Server(port, tmp_path / "got")
    finally:
        stop(process)


def test_it_understands_every_part(server: Server) -> None:
    news = News("i-1", NOW_MS, 3, 2, ("mail", "feed"), ("运单=|\\",), ("mail",))
    alert = Alert("k" * 64, letter.OPENED, "i-1", letter.body_of(letter.OPENED, news))
    for scheme in ("udp", "tcp"):
        for form in ("rfc5424", "cef"):
            Syslog(scheme, "127.0.0.1", server.port, form, "host", lambda: NOW_MS).send(alert)
    taken = server.taken(4)
    for one in taken:
        assert (one["syslogfacility"], one["syslogseverity"]) == ("13", "1")  # log audit, alert
        assert (one["hostname"], one["app-name"], one["msgid"]) == ("host", "canary", "incident.opened")
        assert one["timereported"].startswith("2025-06-15T15:06:40")
        assert one["structured-data"] == f'[canary@32473 key="{"k" * 64}" incident="i-1"]'
    plain = [one["msg"].strip() for one in taken if "CEF" not in one["msg"]]
    assert plain == ["canary incident i-1 opened: 3 sightings of 2 canaries of 运单=|\\ by feed, mail"] * 2
    cef = [one["msg"].strip() for one in taken if "CEF" in one["msg"]]
    assert len(cef) == 2
    assert cef[0].startswith("CEF:0|canary|canary|1|incident.opened|incident.opened|8|externalId=i-1 msg=")
    assert "运单\\=|\\\\" in cef[0]
