"""One page: told when it changes, unless its site forbids reading it."""

from __future__ import annotations

import pytest

from canary.errors import OutsideError
from canary.monitors import url
from canary.net.fetch import Reply
from tests.watch_tools import CannedFetch, reply

PAGE, ROBOTS = "https://x.example/a/b", "https://x.example/robots.txt"


def site(robots: Reply) -> CannedFetch:
    return CannedFetch({PAGE: reply("hello", content_type="text/html"), ROBOTS: robots})


OPEN = [
    reply("", 404),
    reply("User-agent: *\nDisallow: /c"),
    reply("\x00\xff"),
    reply("User-agent: evil\nDisallow: /"),
]


@pytest.mark.parametrize("robots", OPEN)
def test_a_page_that_may_be_read(robots: Reply) -> None:
    [item] = url.monitor({"url": PAGE}).poll(None, site(robots)).items
    assert (item.key, item.raw, item.media) == (PAGE, b"hello", "text/html")


@pytest.mark.parametrize("robots", [reply("User-agent: *\nDisallow: /"), reply("", 503)])
def test_a_page_that_may_not_be_read(robots: Reply) -> None:
    fetch = site(robots)
    with pytest.raises(OutsideError, match=r"robots\.txt"):
        url.monitor({"url": PAGE}).poll(None, fetch)
    assert [asked for asked, _ in fetch.asked] == [ROBOTS]
    assert url.monitor({"url": PAGE, "robots": False}).poll(None, site(robots)).items


def test_robots_is_asked_for_once_a_day_and_again_where_the_server_failed() -> None:
    now = [0.0]
    page = url.Page(PAGE, True, clock=lambda: now[0])
    fetch = site(reply("", 503))
    with pytest.raises(OutsideError):
        page.poll(None, fetch)
    fetch.pages[ROBOTS] = OPEN[0]
    for now[0] in (0.0, 3_600.0, 86_399.0, 86_400.0):
        page.poll(None, fetch)
    assert [one for one, _ in fetch.asked].count(
        ROBOTS
    ) == 3  # the failure, the first answer, and a day later
