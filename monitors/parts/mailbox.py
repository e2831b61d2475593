"""An IMAP mailbox opened for reading alone, by a client that reads no more than it must and not for ever."""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

from canary.errors import OutsideError

MAX_MESSAGE: Final = 20_000_000  # bytes; what a bigger one has beyond is left
A_POLL: Final = 100  # messages
A_POLL_BYTES: Final = 20_000_000
MOST_BYTES: Final = 60_000_000  # of one poll, whatever the server says
POLL_SECONDS: Final = 120.0
SILENCE_SECONDS: Final = 30.0
WINDOW: Final = 1_000  # UIDs asked for at once; wider where there are gaps
MOST_UIDS: Final = 2**32
_SIZE: Final = re.compile(rb"\b(UID|RFC822\.SIZE) (\d{1,15})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is, and who may open it; `tls` from the beginning, else by STARTTLS."""

    host: str
    port: int
    tls: bool
    user: str
    folder: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as the server has it; `size` is what it says the whole has, `time_ms` when it came (0: unknown)."""

    raw: bytes
    size: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class News:
    """What is new in a mailbox of a UIDVALIDITY, the UID up to which it was read, and whether there is more."""

    validity: int
    messages: tuple[Message, ...]
    upto: int
    more: bool


def read_news(place: Place, validity: object, last: object) -> News:
    """Read what came after a UID, from the beginning where the UIDVALIDITY is another; raises OutsideError."""
    with _opened(place) as client:
        now = _told(client, "UIDVALIDITY")
        if now is None:
            raise OutsideError("the mail server tells no UIDVALIDITY", "take another mailbox")
        after = last if now == validity and isinstance(last, int) and last >= 0 else 0
        end = (_told(client, "UIDNEXT") or MOST_UIDS) - 1
        sizes = _sizes(client, after, end)
        messages: list[Message] = []
        held, upto = 0, after
        for uid in sorted(sizes)[:A_POLL]:
            if held >= A_POLL_BYTES:
                break
            if (one := _message(client, uid, sizes[uid])) is not None:
                messages.append(one)
                held += len(one.raw)
            upto = uid
        left = any(uid > upto for uid in sizes)
        return News(now, tuple(messages), upto if left or end >= MOST_UIDS - 1 else max(upto, end), left)


def _sizes(client: imaplib.IMAP4, after: int, end: int) -> dict[int, int]:
    """Give the sizes of the next messages by UID, more than one poll takes where there are so many."""
    found: dict[int, int] = {}
    begin, window = after + 1, WINDOW
    while begin <= end and len(found) <= A_POLL:
        upto = min(end, begin + window - 1)
        for line in client.uid("FETCH", f"{begin}:{upto}", "(UID RFC822.SIZE)")[1]:
            told = (
                {name.upper(): int(number) for name, number in _SIZE.findall(line)}
                if isinstance(line, bytes)
                else {}
            )
            if begin <= told.get(b"UID", 0) <= upto:
                found[told[b"UID"]] = told.get(b"RFC822.SIZE", 0)
        begin, window = upto + 1, window * 4
    return found


def _message(client: imaplib.IMAP4, uid: int, size: int) -> Message | None:
    """Fetch one message without marking it as seen; None where it is gone."""
    parts = client.uid("FETCH", str(uid), f"(INTERNALDATE BODY.PEEK[]<0.{MAX_MESSAGE}>)")[1]
    for part in parts:
        if isinstance(part, tuple):
            arrived = imaplib.Internaldate2tuple(part[0])
            return Message(bytes(part[1]), size, int(time.mktime(arrived)) * 1000 if arrived else 0)
    return None


class _Plain(imaplib.IMAP4):
    """A client of the standard library, since what is kept are the bytes as the server has them."""

    taken = 0
    late = False

    def open(self, host: str = "", port: int | None = 143, timeout: float | None = None) -> None:
        """Connect, and have the connection cut when its time is up."""
        super().open(host, port or 143, timeout)
        self._watchdog = threading.Timer(POLL_SECONDS, self._cut)
        self._watchdog.daemon = True
        self._watchdog.start()

    def shutdown(self) -> None:
        """Close the connection."""
        self._watchdog.cancel()
        super().shutdown()

    def _cut(self) -> None:
        self.late = True
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def read(self, size: int) -> bytes:
        """Read a literal of a size that a message may have."""
        if size > MAX_MESSAGE:
            raise OutsideError("the mail server sends more than was asked for", "see what it is")
        return self._counted(super().read(size))

    def readline(self) -> bytes:
        """Read a line."""
        return self._counted(super().readline())

    def _counted(self, data: bytes) -> bytes:
        self.taken += len(data)
        if self.taken > MOST_BYTES:
            raise OutsideError("the mail server does not end", "see what it does")
        return data


class _Tls(_Plain, imaplib.IMAP4_SSL):
    """The same over TLS from the beginning."""


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[imaplib.IMAP4]:
    client: _Plain | None = None
    try:
        client = _connected(place)
        _enter(client, place)
        yield client
    except (imaplib.IMAP4.error, OSError, ValueError, EOFError) as error:
        said = f"it took more than {POLL_SECONDS:g} s" if client is not None and client.late else _said(error)
        raise OutsideError(
            f"cannot read the mailbox at {place.host}: {said}", "check `url` and `password`"
        ) from None
    finally:
        if client is not None:
            with contextlib.suppress(Exception):
                client.shutdown()


def _connected(place: Place) -> _Plain:
    """Connect, by TLS anywhere but on this machine."""
    if place.tls:
        context = ssl.create_default_context()
        return _Tls(place.host, place.port, ssl_context=context, timeout=SILENCE_SECONDS)
    client = _Plain(place.host, place.port, timeout=SILENCE_SECONDS)
    if not _is_here(place.host):
        try:
            client.starttls(ssl.create_default_context())
        except Exception:
            with contextlib.suppress(OSError):
                client.shutdown()
            raise
    return client


def _enter(client: imaplib.IMAP4, place: Place) -> None:
    if "AUTH=PLAIN" in client.capabilities:
        word = f"\0{place.user}\0{place.password}".encode()
        client.authenticate("PLAIN", lambda _: word)
    else:
        client.login(place.user, place.password)
    quoted = place.folder.replace("\\", "\\\\").replace('"', '\\"')
    status, said = client.select(f'"{quoted}"', readonly=True)
    if status != "OK":
        raise client.error(bytes(said[0] or b"").decode("ascii", "replace"))


def _told(client: imaplib.IMAP4, name: str) -> int | None:
    data: list[Any] = client.response(name)[1]
    word = data[0] if data else None
    return int(word) if isinstance(word, bytes) and word.isdigit() and len(word) < 16 else None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _said(error: Exception) -> str:
    """Say what the server or the system said; never what was sent."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, imaplib.IMAP4.error):
        return "".join(one for one in str(error)[:120] if one.isprintable())
    return type(error).__name__
