"""What every way of telling somebody has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from canary.alerts.letter import Alert
from canary.ports import Answer

Post = Callable[[str, bytes, Mapping[str, str]], Answer]
"""Politely sends a body to a URL; raises OutsideError."""


class Channel(Protocol):
    """One place that is told; `name` stands in the outbox."""

    @property
    def name(self) -> str:
        """Give the name in the outbox."""
        ...

    def send(self, alert: Alert) -> None:
        """Deliver one alert; raises OutsideError where that failed, to be tried again."""
        ...
