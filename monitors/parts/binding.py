"""Binding to an address that a receiver listens on."""

from __future__ import annotations

import socket

from canary.errors import OutsideError


def bind(address: tuple[str, int], kind: int = socket.SOCK_STREAM) -> socket.socket:
    """Bind a socket (TCP unless `kind` is SOCK_DGRAM) that does not block; raises OutsideError where it cannot."""
    try:
        family, found, protocol, _, place = socket.getaddrinfo(*address, type=kind)[0]
        made = socket.socket(family, found, protocol)
    except OSError as error:
        raise _taken(address, error) from None
    try:
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind(place)
    except OSError as error:
        made.close()
        raise _taken(address, error) from None
    return made


def _taken(address: tuple[str, int], error: OSError) -> OutsideError:
    return OutsideError(
        f"cannot listen on {address[0]}:{address[1]}: {error.strerror or error}",
        "choose another `listen`, or end what holds it",
    )
