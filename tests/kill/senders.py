"""Who reaches a watch that is killed (and sends again what was not answered), and what surfaces where it looks."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import imaplib
import json
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.servers import DOVECOT_PASSWORD
from tests.watch_tools import Site, send

PAUSE_SECONDS = 0.05
SECRET = "s3cret"


@dataclass
class Sender:
    """One who reaches a receiver; what was not acknowledged is sent again, the same bytes."""

    source: str
    send: Callable[[int], bool]
    acknowledged: set[int] = field(default_factory=set)
    waiting: list[int] = field(default_factory=list)
    sent: int = 0
    answered: threading.Event = field(default_factory=threading.Event)

    def send_until(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE_SECONDS):
            if not self.waiting:
                self.waiting.append(self.sent)
                self.sent += 1
            self.try_again()

    def try_again(self) -> bool:
        """Send what waits; False where it is not answered."""
        for number in list(self.waiting):
            try:
                if not self.send(number):
                    return False
            except (OSError, smtplib.SMTPException, http.client.HTTPException):
                return False
            self.acknowledged.add(number)
            self.waiting.remove(number)
            self.answered.set()
        return True


def name_of(source: str, number: int) -> str:
    """Give the name of an item as a sighting has it."""
    return {
        "smtp": f"<{number}@sender.example>",
        "imap": f"<box-{number}@sender.example>",
        "phone": f"hook-{number}",
        "sip": f"call-{number}",
    }[source]


def mails(port: int, aliases: Sequence[str]) -> Callable[[int], bool]:
    def send(number: int) -> bool:
        alias = aliases[number % len(aliases)]
        head = f"From: spam@sender.example\r\nTo: {alias}\r\nMessage-ID: {name_of('smtp', number)}\r\n"
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.sendmail("spam@sender.example", [alias], f"{head}\r\ncheap loans {number}\r\n".encode())
        return True

    return send


def hooks(port: int, numbers: Sequence[str]) -> Callable[[int], bool]:
    def send(number: int) -> bool:
        told = {
            "id": name_of("phone", number),
            "event": "sms",
            "to": numbers[number % len(numbers)],
            "text": "x",
        }
        body, stamp = json.dumps(told).encode(), str(int(time.time()))
        mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.closing(client):
            headers = {"X-Canary-Timestamp": stamp, "X-Canary-Signature": f"sha256={mac}"}
            client.request("POST", "/hooks/generic", body, headers)
            return client.getresponse().status == 200

    return send


def calls(port: int, numbers: Sequence[str]) -> Callable[[int], bool]:
    def send(number: int) -> bool:
        called = f"sip:{numbers[number % len(numbers)]}@127.0.0.1"
        call = name_of("sip", number)
        packet = (
            f"INVITE {called} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{call}\r\n"
            f"From: <sip:13900000000@x.example>;tag=1\r\nTo: <{called}>\r\nCall-ID: {call}\r\nCSeq: 1 INVITE\r\n\r\n"
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", port))
            client.settimeout(0.5)  # after which a telephone repeats its call
            client.send(packet.encode())
            return client.recv(65_535).startswith(b"SIP/2.0 603")

    return send


@dataclass(frozen=True)
class Mailbox:
    """Somebody's mailbox on a mail server of this machine."""

    user: str
    port: int

    def table(self) -> dict[str, object]:
        """Give the settings of the source that looks here."""
        return {"url": f"imap://{self.user}@127.0.0.1:{self.port}/INBOX", "password": DOVECOT_PASSWORD}

    def put(self, alias: str, number: int, text: str) -> None:
        """Put a mail to an alias into it."""
        head = f"From: spam@sender.example\r\nTo: {alias}\r\nMessage-ID: {name_of('imap', number)}\r\n"
        with imaplib.IMAP4("127.0.0.1", self.port) as client:
            client.authenticate("PLAIN", lambda _: f"\0{self.user}\0{DOVECOT_PASSWORD}".encode())
            said, _ = client.append("INBOX", "", "", f"{head}\r\n{text}\r\n".encode())
            assert said == "OK"


@dataclass
class Surface:
    """Where data surfaces: files, pages of a site and perhaps a mailbox, each with all that was put there."""

    folder: Path
    site: Site
    mailbox: Mailbox | None = None
    texts: list[str] = field(default_factory=list)

    def tables(self) -> dict[str, dict[str, object]]:
        """Give the settings of the sources that look here."""
        folder, url = self.folder, self.site.url
        return {
            "dumps": {"kind": "drop", "path": str(folder / "dumps")},
            "chats": {"kind": "chat", "path": str(folder / "chats")},
            "asterisk": {"path": str(folder / "Master.csv"), "utc": True},
            "access": {"kind": "access_log", "path": str(folder / "access.jsonl"), "format": "jsonl"},
            "news": {"kind": "feed", "url": f"{url}/feed"},
            "pastes": {"kind": "paste", "list_url": f"{url}/list"},
            "gists": {"api": url},
            "hibp": {"api": url, "domain": "alias.example.com", "api_key": "k"},
            "page": {"kind": "url", "url": f"{url}/page"},
            "bot": {"kind": "chat", "api": url, "token": "1:x"},
            **({} if self.mailbox is None else {"imap": self.mailbox.table()}),
        }

    def expected(self, source: str) -> set[str]:
        """Give the names of the items that a source must have seen in the end; of a page, its last version alone."""
        count = len(self.texts)
        names: Mapping[str, Callable[[int], str]] = {
            "dumps": lambda n: f"dump-{n}.txt",
            "chats": lambda n: f"群#1/{_day(n)}",
            "asterisk": lambda n: f"call-{n}",
            "news": str,
            "pastes": lambda n: f"p{n}",
            "gists": lambda n: f"g{n}/a.txt",
            "hibp": lambda n: f"alias.example.com/Breach{n}",
            "page": lambda n: f"{self.site.url}/page",
            "bot": lambda n: f"-5/{n}",
            "access": lambda n: f"a{n}",
            "imap": lambda n: name_of("imap", n),
        }
        return {names[source](n) for n in range(count)}

    def add(self, text: str, number: str) -> None:
        """Put one more text everywhere, and one more call to a number into the records."""
        at = len(self.texts)
        self.texts.append(text)
        self._files(at, text, number)
        if self.mailbox is not None:
            self.mailbox.put(f"{_local(text)}@alias.example.com", at, text)
        self._pages()

    def _files(self, at: int, text: str, number: str) -> None:
        whole(self.folder / "dumps" / f"dump-{at}.txt", f"dump {at}\n{text}\n")
        said = [
            {"id": n, "type": "message", "date": f"{_day(n)}T10:00:00", "from": "x", "text": each}
            for n, each in enumerate(self.texts)
        ]
        export = {"name": "群", "id": 1, "messages": said}
        whole(self.folder / "chats" / "result.json", json.dumps(export, ensure_ascii=False))
        with (self.folder / "Master.csv").open("a") as file:
            cells = [
                "",
                "139",
                number,
                "in",
                "x",
                "SIP/1",
                "",
                "",
                "",
                "2026-01-01 10:00:00",
                "",
                "",
                "5",
                "0",
                "BUSY",
                "",
            ]
            file.write(",".join(f'"{one}"' for one in [*cells, f"call-{at}"]) + "\n")
        with (self.folder / "access.jsonl").open("a") as file:
            file.write(json.dumps({"account": f"a{at}", "time": 1_767_225_600 + at, "row": text}) + "\n")

    def _pages(self) -> None:
        site, texts = self.site, list(enumerate(self.texts))
        newest = list(reversed(texts))
        site.page(f"/raw/{newest[0][0]}", newest[0][1].encode())
        entries = "".join(f"<item><guid>{n}</guid>{text}</item>" for n, text in newest)
        files = {n: {"a.txt": {"raw_url": f"{site.url}/raw/{n}"}} for n, _ in newest}
        breaches: dict[str, list[str]] = {}
        for n, text in texts:
            breaches.setdefault(_local(text), []).append(f"Breach{n}")
        pages = {
            "/feed": f"<rss version='2.0'><channel>{entries}</channel></rss>",
            "/list": json.dumps([{"key": f"p{n}", "scrape_url": f"/raw/{n}"} for n, _ in newest]),
            "/gists/public": json.dumps([{"id": f"g{n}", "files": file} for n, file in files.items()]),
            "/breacheddomain/alias.example.com": json.dumps(breaches),
            "/page": "\n".join(self.texts),
        }
        for path, body in pages.items():
            site.page(path, body.encode())
        site.pages["/bot1:x/getUpdates"] = self._updates

    def _updates(self, _site: Site, handler: BaseHTTPRequestHandler) -> None:
        begin = int(parse_qs(urlsplit(handler.path).query).get("offset", ["0"])[0])
        heard = [
            {"update_id": n, "message": {"message_id": n, "chat": {"id": -5}, "text": text}}
            for n, text in list(enumerate(self.texts))[begin : begin + 100]
        ]
        send(handler, 200, json.dumps({"ok": True, "result": heard}).encode())


def whole(path: Path, text: str) -> None:
    """Write a file as uploads do: under another name, then renamed."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, "utf-8")
    draft.rename(path)


def _day(number: int) -> str:
    return (date(2026, 1, 1) + timedelta(number)).isoformat()


def _local(text: str) -> str:
    """Give what stands before the @ of the address in a text, told apart by breach."""
    return text.partition("@")[0].rpartition(",")[2]
