"""The meter: what a run cost, what its host asked for, and what was answered."""

from __future__ import annotations

import pytest

from canary.daemon.meter import MAX_PACE_MS, Meter
from canary.store.runs import Traffic
from tests.watch_tools import NOW_MS, CannedFetch, HandClock, reply

URL = "https://x.example/a"


def meter(**pages: object) -> Meter:
    return Meter(
        CannedFetch({f"https://x.example/{name}": page for name, page in pages.items()}), HandClock()
    )  # type: ignore[arg-type]


def test_requests_bytes_and_unchanged_answers_are_counted_once() -> None:
    one = meter(a=reply("hello", etag='"1"'), b=reply(status=304), c=reply("gone", 404))
    assert one.get(URL, {"X": "1"}).body == b"hello"
    one.get("https://x.example/b")
    one.get("https://x.example/c")
    assert one.traffic() == Traffic(3, 1, 9)
    assert one.traffic() == Traffic()
    [kept] = one.exchanges()
    assert (kept.url, kept.time_ms, kept.status, kept.body) == (URL, NOW_MS, 200, b"hello")
    assert one.exchanges() == ()


@pytest.mark.parametrize(
    ("said", "pace"),
    [("60", 60_000), (" 5 ", 5_000), ("0", None), ("-1", None), ("soon", None), ("٥", None), ("9" * 40, MAX_PACE_MS)],
)  # fmt: skip
def test_the_pause_a_host_asks_for_between_polls(said: str, pace: int | None) -> None:
    one = meter(a=reply(x_poll_interval=said), b=reply())
    one.get(URL)
    one.get("https://x.example/b")
    assert one.traffic().pace_ms == pace


def test_what_cannot_be_fetched_is_counted_and_told() -> None:
    one = meter(a=KeyError("x"))
    with pytest.raises(KeyError):
        one.get(URL)
    assert one.traffic() == Traffic(1)


def test_the_key_of_a_bot_is_kept_nowhere() -> None:
    url = "https://x.example/bot123:AAF-secret_/getUpdates?limit=100"
    one = Meter(CannedFetch({url: reply("{}")}), HandClock())
    one.get(url)
    assert [each.url for each in one.exchanges()] == ["https://x.example/bot…/getUpdates?limit=100"]
