"""Syslog: RFC 5424 or CEF lines over UDP (RFC 5426) or TCP (RFC 6587, octet counting)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from canary.alerts.letter import URGENT, Alert, rfc3339, sentence
from canary.errors import OutsideError, UsageError

FORMATS: Final = ("rfc5424", "cef")
FACILITY: Final = 13  # log audit
TIMEOUT: Final = 8.0  # seconds


@dataclass(frozen=True, slots=True)
class Syslog:
    """One syslog server."""

    scheme: str
    host: str
    port: int
    format: str
    hostname: str
    now_ms: Callable[[], int]

    @property
    def name(self) -> str:
        """Give the name in the outbox."""
        return f"syslog:{self.scheme}://{self.host}:{self.port}"

    def line(self, alert: Alert) -> bytes:
        """Spell one alert as a syslog message."""
        urgent = alert.event in URGENT
        severity = 1 if urgent else 5
        head = f"<{FACILITY * 8 + severity}>1 {rfc3339(self.now_ms())} {self.hostname} canary - {alert.event}"
        text = _cef(alert, 8 if urgent else 4) if self.format == "cef" else " ".join(sentence(alert).split())
        return f"{head} {_structured(alert)} {text}".encode()

    def send(self, alert: Alert) -> None:
        """Send one alert; over UDP nobody can know whether it arrived."""
        line = self.line(alert)
        kind = socket.SOCK_DGRAM if self.scheme == "udp" else socket.SOCK_STREAM
        try:
            place = socket.getaddrinfo(self.host, self.port, type=kind)[0]
            with socket.socket(place[0], kind) as connection:
                connection.settimeout(TIMEOUT)
                connection.connect(place[4])
                connection.sendall(line if self.scheme == "udp" else b"%d %b" % (len(line), line))
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise OutsideError(f"cannot reach {self.name}: {said}", "check that it listens") from None


def _structured(alert: Alert) -> str:
    return f'[canary@32473 key="{alert.key}" incident="{alert.incident or "-"}"]'


def _cef(alert: Alert, severity: int) -> str:
    said = sentence(alert)
    event = _header(alert.event)
    fields = f"externalId={_extension(alert.incident or '-')} msg={_extension(said)}"
    return f"CEF:0|canary|canary|1|{event}|{event}|{severity}|{fields}"


def _header(text: str) -> str:
    """Escape a field of CEF's header: backslash and pipe; it has no line ends."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())


def _extension(text: str) -> str:
    """Escape a value of CEF's extension: backslash, equals sign, and line ends as backslash n and r."""
    escaped = text.replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\n", "\\n").replace("\r", "\\r")


def parse_address(text: str) -> tuple[str, str, int]:
    """Read `udp://host:port` or `tcp://host:port`; raises UsageError."""
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port or 514
    except ValueError:
        scheme, host, port = "", "", 0
    if scheme not in ("udp", "tcp") or not host:
        raise UsageError("[[alerts.syslog]]: no such address", "give it as udp://host:514 or tcp://host:514")
    return scheme, host, port
