"""The watcher with the scan it really uses: spellings, archives, and canaries that are issued while it runs."""

from __future__ import annotations

import base64
import random
import zipfile
from pathlib import Path

from canary.daemon.watcher import Watcher
from canary.model.sight import Match, Sighting
from canary.steps.lookout import Lookout, strongest
from canary.store import incidents, sightings
from canary.store.registry import Registry
from tests.integration.daemon.conftest import NET
from tests.watch_tools import SIGNER, Planted, RealClock, Site, plant


def make(registry: Registry, folder: Path, monitors: dict[str, object]) -> Watcher:
    config = {"net": NET, "monitors": monitors}
    return Watcher.from_config(registry, config, SIGNER, RealClock(), folder, None, random.Random(3))


def stored(registry: Registry) -> list[Sighting]:
    with registry.read() as tx:
        return sightings.list_all(tx)


def test_dumps_and_feeds_are_really_read(
    registry: Registry, planted: list[Planted], site: Site, tmp_path: Path
) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    with zipfile.ZipFile(folder / "leak.zip", "w") as archive:
        archive.writestr(
            "table.csv", f"no,mail,phone\n{planted[0].waybill},{planted[0].alias},{planted[0].phone}\n"
        )
    (folder / "bad.zip").write_bytes(b"PK\x03\x04" + b"\xff" * 100)
    hidden = base64.b64encode(f"mail {planted[1].alias} now".encode()).decode()
    site.page(
        "/feed", f"<rss version='2.0'><channel><item><guid>1</guid>{hidden}</item></channel></rss>".encode()
    )
    one = make(
        registry,
        tmp_path,
        {"dumps": {"kind": "drop", "path": "dumps"}, "feed": {"url": f"{site.url}/feed"}},
    )
    answers = {polled.name: polled for polled in one.once()}
    assert {polled.error for polled in answers.values()} == {None}
    seen = {one.item: one for one in stored(registry)}
    assert [match.canary for match in seen["leak.zip"].matches] == ["c-0"]
    assert set(seen["leak.zip"].matches[0].fields) >= {"email", "waybill_no"}
    assert seen["leak.zip"].matches[0].member == "table.csv"
    assert [(match.canary, match.strength) for match in seen["1"].matches] == [("c-1", "strong")]
    assert seen["bad.zip"].matches == ()
    assert "bad.zip" in seen["bad.zip"].detail["scan"]
    with registry.read() as tx:
        assert len(incidents.list_all(tx)) == 1


def test_canaries_that_are_issued_meanwhile_are_found(registry: Registry, planted: list[Planted]) -> None:
    lookout = Lookout(registry)
    assert [match.canary for match in lookout.look("x", planted[0].alias.encode()).matches] == ["c-0"]
    before, _ = lookout.index()
    assert lookout.index()[0] is before
    [later] = plant(registry, 1, "globex", 100)
    assert [match.canary for match in lookout.look("x", later.alias.encode()).matches] == ["c-100"]
    assert lookout.look("x", b"nothing of ours").matches == ()


def test_a_scan_that_stumbles_is_told(registry: Registry, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def stumble(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("canary.scan.sieve.scan_stream", stumble)
    look = Lookout(registry).look("x", b"y")
    assert (look.matches, look.error) == ((), "the scan stumbled: RecursionError")


def test_one_match_a_canary() -> None:
    weak = Match("c", "phone", ("phone",), "plain", "weak", expected_chance_hits=0.1)
    strong = Match("c", "email", ("email",), "plain", "strong", expected_chance_hits=1e-9)
    other = Match("d", "phone", ("phone",), "plain", "weak")
    first, second = strongest([weak, other, strong, weak])
    assert (first.field, first.fields, first.strength) == ("email", ("email", "phone"), "strong")
    assert second == other
