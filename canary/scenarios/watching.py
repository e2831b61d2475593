"""The watch of a story: a real `canary watch` process, a real paste site, real mail."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage

from canary.scenarios.world import StoryError, World, free_port, web_site

PATIENCE = 600.0  # seconds until the watch must have said what it saw: a busy machine is slow, not wrong
PAUSE = 0.3  # seconds between two looks, which cost the watch its time

CONFIG = """
[net]
allow_addresses = ["127.0.0.0/8"]
host_requests_per_minute = 600

[monitors.mail]
kind = "smtp"
listen = "127.0.0.1:{port}"

[monitors.pastes]
kind = "paste"
list_url = "{site}/list.json"
interval = 1
"""


def watched(world: World, paste: bytes, mails: Sequence[str]) -> list[str]:
    """Run the watch while a paste is published and mails arrive; gives the incidents it opened."""
    listing = [
        {
            "key": "Xk29fQ",
            "title": "fresh 2026",
            "date": str(int(time.time())),
            "size": str(len(paste)),
            "scrape_url": "/raw/Xk29fQ",
        }
    ]
    pages = {"/raw/Xk29fQ": paste}
    with web_site(pages) as site:
        listing[0]["scrape_url"] = f"{site}/raw/Xk29fQ"
        pages["/list.json"] = json.dumps(listing).encode()
        port = free_port()
        (world.home / "config.toml").write_text(CONFIG.format(port=port, site=site), "utf-8")
        with _process(world):
            _until(world, lambda: _answers(port))
            _until(world, lambda: bool(world.command("sighting", "list")))
            for address in mails:
                _send(port, address)
            _until(world, lambda: len(world.command("sighting", "list")) >= 1 + len(mails))
    return [one["id"] for one in world.command("incident", "list")]


@contextmanager
def _process(world: World) -> Iterator[None]:
    argv = [sys.executable, "-m", "canary", "watch", "--home", str(world.home)]
    log = (world.folder / "watch.log").open("wb")
    process = subprocess.Popen(argv, stdout=log, stderr=log, env=dict(os.environ))
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        log.close()


def _until(world: World, done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise StoryError(["watch"], (world.folder / "watch.log").read_text("utf-8", "replace")[-2000:])
        time.sleep(PAUSE)


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=2):
            return True
    except OSError:
        return False


def _send(port: int, address: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "sales@buyer.example", address, "优惠活动"
    message.set_content("您好，我们有新的优惠。")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.send_message(message)
