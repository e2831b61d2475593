"""Pace: how often a host may be called, kept over restarts and over several processes."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

from canary.errors import OutsideError
from canary.ports import Clock

MAX_WAIT_MS: Final = 24 * 3_600_000  # no host can silence a source for longer than a day at a time
MINUTE_MS: Final = 60_000
BACKOFF_BASE_MS: Final = 5_000
BACKOFF_CAP_MS: Final = 300_000
BUSY: Final = frozenset({429, 503})


class Later(OutsideError):
    """A host, or our `own` budget for it, wants no request before `until_ms`."""

    def __init__(self, host: str, until_ms: int, reason: str, own: bool = False) -> None:
        super().__init__(
            f"{host} is not to be called yet: {reason}", "nothing to do: it is tried again in time"
        )
        self.until_ms, self.own = until_ms, own


@dataclass(frozen=True, slots=True)
class HostState:
    """What is left of a host's budget in this minute, when it was last spent, and how long it wants peace."""

    tokens: float
    updated_ms: int
    not_before_ms: int = 0


class Hosts(Protocol):
    """Where the budgets of hosts outlive the process."""

    def change(self, host: str, step: Callable[[HostState | None], HostState]) -> HostState:
        """Replace the state of a host by what `step` makes of it, in one transaction."""
        ...


@dataclass(slots=True)
class MemoryHosts:
    """Budgets of this process alone, for tests and for `source test`."""

    states: dict[str, HostState] = field(default_factory=dict)

    def change(self, host: str, step: Callable[[HostState | None], HostState]) -> HostState:
        """Replace the state of a host."""
        self.states[host] = step(self.states.get(host))
        return self.states[host]


def retry_after_ms(headers: Mapping[str, str], now_ms: int) -> int | None:
    """Read when to come back: Retry-After (seconds or date), else an exhausted X-RateLimit, else None."""
    if (wait := headers.get("retry-after", "").strip()) and (until := _moment(wait, now_ms)) is not None:
        return min(until, now_ms + MAX_WAIT_MS)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if headers.get("x-ratelimit-remaining", "").strip() == "0" and reset.isascii() and reset.isdigit():
        number = int(reset[:15])
        until = number * 1000 if number > 1_000_000_000 else now_ms + number * 1000
        return min(until, now_ms + MAX_WAIT_MS)
    return None


def _moment(text: str, now_ms: int) -> int | None:
    if text.isascii() and text.isdigit():
        return now_ms + int(text[:9]) * 1000
    try:
        return int(parsedate_to_datetime(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


class Budget:
    """At most `per_minute` requests to a host in any minute, over restarts and over several processes."""

    def __init__(self, per_minute: int, hosts: Hosts, clock: Clock, rng: random.Random) -> None:
        self._limit, self._hosts, self._clock, self._rng = per_minute, hosts, clock, rng
        self._spent: dict[str, deque[int]] = {}
        self._saved: dict[str, HostState] = {}
        self._strikes: dict[str, int] = {}
        self._lock = threading.Lock()

    def enter(self, host: str) -> None:
        """Spend one request, or raise Later."""
        now = self._clock.now_ms()
        refusal: list[Later] = []

        def step(state: HostState | None) -> HostState:
            spent = self._recent(host, state, now)
            kept = state or HostState(self._limit, now)
            if kept.not_before_ms > now:
                refusal.append(Later(host, kept.not_before_ms, "it asked for a pause"))
                return kept
            if len(spent) >= self._limit:
                refusal.append(
                    Later(host, spent[-self._limit] + MINUTE_MS, "its budget of this minute is spent", True)
                )
                return kept
            spent.append(now)
            return HostState(self._limit - len(spent), now, kept.not_before_ms)

        with self._lock:
            self._saved[host] = self._hosts.change(host, step)
        if refusal:
            raise refusal[0]

    def _recent(self, host: str, state: HostState | None, now: int) -> deque[int]:
        """Give the times spent in the last minute; what others spent counts as spent when they last did."""
        if state != self._saved.get(host) and state is not None:
            used = max(0, min(self._limit, round(self._limit - state.tokens)))
            self._spent[host] = deque([min(state.updated_ms, now)] * used)
        spent = self._spent.setdefault(host, deque())
        while spent and spent[0] <= now - MINUTE_MS:
            spent.popleft()
        return spent

    def heed(self, host: str, status: int, headers: Mapping[str, str]) -> None:
        """Take in what an answer says about pace; raises Later where the host refused for being busy."""
        now = self._clock.now_ms()
        until = retry_after_ms(headers, now)
        exhausted = headers.get("x-ratelimit-remaining", "").strip() == "0"
        refused = status in BUSY or (status == 403 and exhausted)
        if refused and until is None:
            strikes = self._strikes[host] = min(self._strikes.get(host, 0) + 1, 10)
            span = min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2**strikes)
            until = now + max(1_000, int(self._rng.uniform(0, span)))
        elif not refused:
            self._strikes.pop(host, None)
        if until is not None and until > now:
            self._pause(host, until, now)
        if refused:
            raise Later(host, until or now, f"it answered {status}")

    def _pause(self, host: str, until: int, now: int) -> None:
        def step(state: HostState | None) -> HostState:
            kept = state or HostState(self._limit, now)
            return HostState(kept.tokens, kept.updated_ms, max(until, kept.not_before_ms))

        with self._lock:
            before = self._saved.get(host)
            after = self._hosts.change(host, step)
            if before is not None and (before.tokens, before.updated_ms) == (after.tokens, after.updated_ms):
                self._saved[host] = after
