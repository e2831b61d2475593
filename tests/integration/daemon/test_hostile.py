"""Every hostile source at once, beside good ones: each fails alone, politely, and the good ones are not delayed."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise

from canary.daemon.health import watch_health
from canary.store.registry import Registry
from tests.hostile import RSS, make_hostile
from tests.integration.daemon.conftest import MakeWatcher
from tests.integration.daemon.test_running import running
from tests.watch_tools import Planted, RealClock, Site, until, web_site

# pages of one host: where it asks for peace, the others of that host wait as well
BUSY = {"429", "429-bare", "503-date", "403-spent"}
SECONDS = 1.2


def feeds(site: Site, names: list[str]) -> dict[str, object]:
    return {name: {"kind": "feed", "url": f"{site.url}/{name}", "interval": 0.2} for name in names}


def test_hostile_sources_fail_alone_and_politely(
    watcher: MakeWatcher, registry: Registry, planted: list[Planted], site: Site
) -> None:
    with web_site() as hostile, web_site() as busy:
        names = [name for name in make_hostile(hostile) if name not in BUSY]
        make_hostile(busy)
        for number in range(5):
            site.page(f"/good{number}", RSS % number)
        good = [f"good{number}" for number in range(5)]
        monitors = {**feeds(hostile, names), **feeds(busy, ["429"]), **feeds(site, good)}
        one = watcher(monitors, net={"timeout": 1, "max_bytes": 100_000})
        with running(one):
            until(lambda: all(site.asked.count(f"/{name}") >= 4 for name in good), 60)
            until(lambda: set(hostile.asked) >= {f"/{name}" for name in names}, 60)
            time.sleep(SECONDS)
        now = RealClock().now_ms()
        health = {each.name: each for each in watch_health(registry, one.settings.sources, now).sources}
        asked = Counter(path for path in hostile.asked if path != "/loop")
        assert {name for name in names if health[name].state == "ok"} <= {"billion"}  # a feed without entries
        assert all(health[name].state == "ok" for name in good)
        assert all(after - before >= 5 for before, after in pairwise(busy.times))
        assert max(asked.values()) <= 10  # five in a row open the breaker: less and less from there
        told = f"{len(names)} hostile sources: {sum(asked.values())} requests, at most {max(asked.values())} to one"
        print(f"{told}; 429 with Retry-After 5: {len(busy.asked)}")


def test_each_way_of_asking_for_peace_is_heeded(watcher: MakeWatcher, registry: Registry, site: Site) -> None:
    make_hostile(site)
    for name in sorted(BUSY):
        with web_site() as alone:
            make_hostile(alone)
            monitors = feeds(alone, [name])
            for _ in range(5):
                assert watcher(monitors).once()[0].error is not None
            assert alone.asked == [f"/{name}"]
