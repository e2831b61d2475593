"""The budgets of hosts, kept in the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from canary.net.pace import HostState
from canary.store import sources

if TYPE_CHECKING:
    from canary.store.registry import Registry


@dataclass(frozen=True, slots=True)
class RegistryHosts:
    """Keeps each host's budget over restarts and over several watchers."""

    registry: Registry

    def change(self, host: str, step: Callable[[HostState | None], HostState]) -> HostState:
        """Replace the state of a host in one transaction."""
        with self.registry.begin() as tx:
            kept = sources.get_host(tx, host)
            before = HostState(kept.tokens, kept.updated_ms, kept.not_before_ms) if kept else None
            after = step(before)
            if after != before:
                sources.put_host(
                    tx, sources.HostBudget(host, after.tokens, after.updated_ms, after.not_before_ms)
                )
        return after
