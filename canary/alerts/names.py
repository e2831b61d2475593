"""The names of the channels that the settings name, without opening any or reading a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from canary.alerts.syslog import parse_address


def channel_names(alerts: Mapping[str, Any]) -> tuple[str, ...]:
    """Name every channel of [alerts] as the outbox does; raises UsageError for an address that is none."""
    return tuple(dict.fromkeys(_names(alerts)))


def _names(alerts: Mapping[str, Any]) -> Iterator[str]:
    for each in alerts.get("webhook") or ():
        yield f"webhook:{each.get('name', 'webhook')}"
    for each in alerts.get("syslog") or ():
        scheme, host, port = parse_address(str(each.get("address", "")))
        yield f"syslog:{scheme}://{host}:{port}"
    for each in alerts.get("apprise") or ():
        yield f"apprise:{each.get('name', 'apprise')}"
