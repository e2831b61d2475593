"""Leadership: one node of those on a registry polls its sources; another takes over when it falls silent."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from canary.errors import CanaryError
from canary.ports import Clock
from canary.store import leases

if TYPE_CHECKING:
    from canary.store.registry import Registry
    from canary.store.tx import Tx

NAME: Final = "schedule"
LEASE_MS: Final = 6_000  # a node that was silent for so long is taken over from
LOG: Final = logging.getLogger("canary.watch")


class Leader:
    """This node's part in leading; `turn` is called several times within a lease."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        node: str,
        monotonic: Callable[[], float],
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._registry, self._clock, self._monotonic = registry, clock, monotonic
        self.node, self._lease_ms = node, lease_ms
        self._token: int | None = None
        self._until = 0.0
        self._lock = threading.Lock()

    @property
    def token(self) -> int | None:
        """Give the token under which this node leads, None while it does not."""
        return self._token if self._monotonic() < self._until else None

    def turn(self) -> bool:
        """Renew the lease or take one that has run out; tells whether this node leads."""
        with self._lock:
            began = self._monotonic()
            before = self._token
            try:
                self._token = self._ask(before)
            except CanaryError:
                return self.token is not None
            self._until = began + self._lease_ms / 1000 if self._token is not None else 0.0
            if self._token is not None and before is None:
                LOG.info("%s polls the sources from here on", self.node)
            return self._token is not None

    def _ask(self, token: int | None) -> int | None:
        machine = self._clock.now_ms()
        with self._registry.begin() as tx:
            if token is not None and leases.renew(tx, NAME, token, machine, self._lease_ms):
                return token
            return leases.acquire(tx, NAME, self.node, machine, self._lease_ms)

    def check(self, tx: Tx) -> None:
        """Raise Overtaken in a write transaction unless this node leads to its end."""
        leases.check(tx, NAME, self._token if self._token is not None else -1)

    def release(self) -> None:
        """Stop leading at once, so that another node need not wait."""
        with self._lock:
            token, self._token, self._until = self._token, None, 0.0
            if token is not None:
                with self._registry.begin() as tx:
                    leases.release(tx, NAME, token)
