"""A webhook: JSON with an idempotency key, signed with HMAC-SHA256."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from canary.alerts.channel import Post
from canary.alerts.letter import Alert
from canary.errors import OutsideError


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook; its address and secret are never shown."""

    label: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    post: Post = field(repr=False)

    @property
    def name(self) -> str:
        """Give the name in the outbox."""
        return f"webhook:{self.label}"

    def send(self, alert: Alert) -> None:
        """Post one alert; anything but 2xx is a failure."""
        body = alert.body.encode()
        mac = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": alert.key,
            "X-Canary-Signature": f"sha256={mac}",
        }
        answer = self.post(self.url, body, headers)
        if not 200 <= answer.status < 300:
            raise OutsideError(f"the webhook answered {answer.status}", "check its address and secret")
