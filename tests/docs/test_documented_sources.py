"""Every table in docs/howto/sources.md works: receivers listen, and sources see what a local site or folder shows."""

from __future__ import annotations

import asyncio
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from canary.daemon.settings import Source, read_sources
from canary.monitors import kind_names
from canary.net.fetch import NetSettings
from canary.ports import Desk
from tests.kill.senders import Surface
from tests.servers import make_certificate
from tests.watch_tools import LOOPBACK, fetcher, web_site

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "howto" / "sources.md").read_text("utf-8")
TABLES: Mapping[str, Any] = {
    name: table
    for block in re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    for name, table in tomllib.loads(block)["monitors"].items()
}
POSTS = b'{"data": {"posts": [{"no": 1, "body": {"text": "x"}, "board": {"name": "y"}}]}}'


def here(value: Any, url: str) -> Any:
    """Let settings speak of this machine: its site, its files, free ports, and secrets that are none."""
    if isinstance(value, dict):
        return {key: here(inner, url) for key, inner in value.items()}
    text = re.sub(r"https://[^/{]+", url, str(value)) if isinstance(value, str) else value
    if isinstance(text, str) and text.startswith("env:"):
        return "1:x"
    if isinstance(text, str) and text.startswith(("0.0.0.0:", "127.0.0.1:")):
        return "127.0.0.1:0"
    return Path(text).name if isinstance(text, str) and text.startswith("/") else text


def test_every_kind_is_told_of() -> None:
    assert {str(table.get("kind", name)) for name, table in TABLES.items()} == set(kind_names())


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table(name: str, tmp_path: Path) -> None:
    for folder in ("dumps", "chats"):
        (tmp_path / folder).mkdir()
    with web_site() as site:
        surface = Surface(tmp_path, site)
        surface.add("zhang.wei1@alias.example.com", "14000000001")
        site.page("/posts", POSTS)
        for path in tmp_path.glob("*/*"):
            os.utime(path, (1_750_000_000, 1_750_000_000))  # nobody writes to it any more
        make_certificate(tmp_path)
        (tmp_path / "cert.pem").rename(tmp_path / "mx.pem")
        (tmp_path / "key.pem").rename(tmp_path / "mx.key")
        table = here(TABLES[name], site.url)
        if name in ("gists", "hibp", "bot"):
            table["api"] = site.url
        [source] = read_sources({name: table}, tmp_path, name)
        if source.receiver is not None:
            asyncio.run(listens(source))
        elif name != "imap":  # whose place is its server's alone
            assert sees(source) == 1


def sees(source: Source) -> int:
    assert source.monitor is not None
    settings = NetSettings(LOOPBACK, timeout=5, host_requests_per_minute=1000)
    return len(source.monitor.poll(None, fetcher(settings)).items)


async def listens(source: Source) -> None:
    assert source.receiver is not None
    desk: Desk = lambda items: asyncio.sleep(0, [True] * len(items))  # noqa: E731
    await source.receiver.start(desk, lambda _: asyncio.sleep(0, True))
    assert getattr(source.receiver, "port") > 0  # noqa: B009
    await source.receiver.stop()
