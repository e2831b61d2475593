"""Chat and mail through apprise, which is imported only where it is set up."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from canary.alerts.letter import Alert, sentence
from canary.errors import OutsideError


@dataclass(frozen=True, slots=True)
class Apprise:
    """One service of apprise; its address holds its secret and is never shown."""

    label: str
    url: str = field(repr=False)

    @property
    def name(self) -> str:
        """Give the name in the outbox."""
        return f"apprise:{self.label}"

    def send(self, alert: Alert) -> None:
        """Send one alert as a line of text."""
        try:
            import apprise
        except ImportError:
            raise OutsideError("apprise is not installed", "install the package apprise") from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it writes addresses, which are secrets
        service = apprise.Apprise()
        if not service.add(self.url):
            raise OutsideError(f"apprise knows no such service: {self.name}", "check its url")
        if not service.notify(body=sentence(alert), title="canary"):
            raise OutsideError(f"{self.name} did not take the alert", "check its url and its service")
