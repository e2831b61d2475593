"""The guard: which addresses may be called, and connections that end when the time is up."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import httpcore

from canary.errors import OutsideError

if TYPE_CHECKING:
    import ssl

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SLICE_SECONDS: Final = 1.0  # how often a waiting fetch looks whether it was stopped
CONNECT_SECONDS: Final = 8.0  # cannot be interrupted, so it stays below the 15 s that SIGTERM may take
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052; embeds an IPv4 address


def allowed_address(address: Address, allow: Iterable[Network]) -> bool:
    """Tell whether an address may be called: public unicast, or inside an allowed network."""
    forms = _forms(address)
    if any(form in network for network in allow for form in forms if form.version == network.version):
        return True
    return all(form.is_global and not form.is_multicast and not form.is_reserved for form in forms)


def _forms(address: Address) -> list[Address]:
    """Give what an address really is: the IPv4 address it wraps, or a tunnel with its ends."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    inner: list[Address | None] = [address.sixtofour, *(address.teredo or ())]
    return [address, *(one for one in inner if one is not None)]


def system_addresses(host: str, port: int) -> list[str]:
    """Resolve a host name by the machine's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Deadline:
    """The end of one whole fetch; also ends it when the fetcher is stopped."""

    def __init__(self, seconds: float, monotonic: Callable[[], float], stopped: threading.Event) -> None:
        self._monotonic, self._stopped = monotonic, stopped
        self._end = monotonic() + seconds

    def left(self, most: float) -> float:
        """Give the seconds left, at most `most`; raises ReadTimeout when none are."""
        left = self._end - self._monotonic()
        if left <= 0 or self._stopped.is_set():
            raise httpcore.ReadTimeout("the time is up")
        return min(left, most)

    def extend(self, seconds: float) -> None:
        """Leave out time that was spent waiting for our own budget."""
        self._end += seconds


class _Stream(httpcore.NetworkStream):
    """A connection whose reads end with the deadline, however slowly bytes drip in."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        while True:
            wait = self._deadline.left(SLICE_SECONDS)
            try:
                return self._inner.read(max_bytes, wait)
            except httpcore.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._inner.write(buffer, self._deadline.left(CONNECT_SECONDS))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline knows better
    ) -> httpcore.NetworkStream:
        wait = self._deadline.left(CONNECT_SECONDS)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, wait), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class Guard(httpcore.NetworkBackend):
    """Opens connections to checked addresses only, so that no second look-up can give another address."""

    def __init__(
        self, allow: Sequence[Network], resolve: Callable[[str, int], Sequence[str]], deadline: Deadline
    ) -> None:
        self._allow, self._resolve, self._deadline = allow, resolve, deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline knows better
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that may be called; raises OutsideError where none may."""
        good = [one for one in self._addresses(host, port) if allowed_address(one, self._allow)]
        if not good:
            raise OutsideError(
                f"{host} is at a private or special address, which is refused",
                "add the address to net.allow_addresses if it is meant",
            )
        stream = self._inner.connect_tcp(
            str(good[0]), port, self._deadline.left(CONNECT_SECONDS), local_address, socket_options or ()
        )
        return _Stream(stream, self._deadline)

    def _addresses(self, host: str, port: int) -> list[Address]:
        """Resolve within the deadline; the system's resolver cannot be stopped, so its thread is left."""
        answer: list[Sequence[str]] = []

        def look_up() -> None:
            try:
                answer.append(self._resolve(host, port))
            except (OSError, UnicodeError):
                answer.append(())

        thread = threading.Thread(target=look_up, name="canary-resolve", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(self._deadline.left(SLICE_SECONDS))
        if not answer or not answer[0]:
            raise OutsideError(f"{host} has no address", "check the name and the machine's resolver")
        return [ipaddress.ip_address(one.partition("%")[0]) for one in answer[0]]
