"""Metrics as Prometheus reads them."""

from __future__ import annotations

import re

from canary.daemon.health import SourceHealth, WatchHealth
from canary.daemon.metrics import text_of

LINE = re.compile(
    r'canary_[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+'
)
GOOD = SourceHealth(
    "pa\"st\\es\n", "paste", "ok", 5, 1.25, 2, None, overdue=0.5, polls=9, items=4, requests=10,
    unchanged_share=0.25, bytes=10**12,
)  # fmt: skip
NEW = SourceHealth("new", "feed", "never", None, None, 0, None)
HEALTH = WatchHealth((GOOD, NEW), "node", 3, 7, 12.5, ("webhook:ops",), 9, 1.5)


def samples(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


def test_every_line_is_of_the_format_and_every_family_is_told_once() -> None:
    text = text_of(HEALTH, True, 4)
    assert text.endswith("\n")
    for line in text.splitlines():
        assert line.startswith(("# HELP canary_", "# TYPE canary_")) or LINE.fullmatch(line), line
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    assert all(name.partition("{")[0] in types for name in samples(text))


def test_what_the_watch_knows_is_told() -> None:
    found = samples(text_of(HEALTH, True, 4))
    labels = '{source="pa\\"st\\\\es\\n",kind="paste"}'
    assert found[f"canary_source_up{labels}"] == "1"
    assert found['canary_source_up{source="new",kind="feed"}'] == "0"
    assert found[f"canary_source_lag_seconds{labels}"] == "1.25"
    assert 'canary_source_lag_seconds{source="new",kind="feed"}' not in found
    assert found[f"canary_source_unchanged_ratio{labels}"] == "0.25"
    assert found[f"canary_source_bytes_total{labels}"] == str(10**12)
    assert found['canary_source_breaker{source="new",breaker="closed"}'] == "1"
    assert (found["canary_leader"], found["canary_lease_token"]) == ("1", "3")
    assert (found["canary_arrivals_waiting"], found["canary_alerts_waiting"]) == ("4", "7")
    assert (found["canary_alerts_oldest_seconds"], found["canary_channels_broken"]) == ("12.5", "1")
    assert (found["canary_unread_waiting"], found["canary_unread_oldest_seconds"]) == ("9", "1.5")
    assert samples(text_of(HEALTH, False, 0))["canary_leader"] == "0"
