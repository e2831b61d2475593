"""The gate of suppression: who may ask, how much a day, and who is stopped; everything it decides is in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from canary.alerts import letter
from canary.alerts.names import channel_names
from canary.errors import SafetyError, UsageError
from canary.model.suppress import ANY, Caller
from canary.steps.suppress_judge import DAY_MS, WINDOWS_MS, alarm, window
from canary.store import journal, outbox, suppressions
from canary.store.text import check_name

if TYPE_CHECKING:
    from canary.steps.suppress_find import Found
    from canary.steps.tools import Tools
    from canary.store.tx import Tx

KIND = "suppress"  # of the ledger's entries


@dataclass(frozen=True, slots=True)
class Asked:
    """What is charged: who asks, and for which file; `budget` is the home's, in rows a day."""

    caller: str
    os_user: str
    sha256_in: str
    format: str
    budget: int


@dataclass(frozen=True, slots=True)
class Charged:
    """A check that was charged: its place in the ledger, and the rows that are left of the day."""

    ledger_index: int
    left: int


def admit(tools: Tools, name: str | None, os_user: str, budget: int, *, dry_run: bool = False) -> Caller:
    """Give the caller; one that is stopped, or has nothing left, is refused before anything is read."""
    now = tools.clock.now_ms()
    fresh = Caller(check_name("the caller's name", os_user), os_user=os_user, added_ms=now)
    with tools.registry.read() as tx:
        caller = suppressions.caller(tx, name or os_user) or (fresh if name in (None, os_user) else None)
        used = suppressions.rows_since(tx, name or os_user, now - DAY_MS)
    if caller is None:
        raise UsageError(
            f"no caller {name!r} is registered", f"an operator does: canary suppress allow {name}"
        )
    if caller.os_user not in (None, os_user):
        raise SafetyError(
            f"caller {caller.name} is not {os_user}'s", "leave --caller out, or run as the job's own user"
        )
    error = _stopped(caller) or (_exhausted(caller, budget, used) if used else None)
    if error is not None:
        if not dry_run:
            _refuse(tools, caller, os_user, "stopped" if caller.stopped_ms is not None else "budget")
        raise error
    return caller


def scope(tools: Tools, caller: Caller) -> tuple[str, ...]:
    """Give the recipients whose copies a caller's files may be: those named, else all or none as the home is set."""
    table = tools.config.get("suppress")
    settings: Mapping[str, object] = table if isinstance(table, Mapping) else {}
    return caller.recipients or ((ANY,) if settings.get("copies", True) else ())


def _stopped(caller: Caller) -> SafetyError | None:
    if caller.stopped_ms is None:
        return None
    return SafetyError(
        f"caller {caller.name} is stopped: its files held more canaries than the owner's own data can",
        f"an operator sees why in canary suppress list, allows what is right, then: canary suppress lift {caller.name}",
    )


def _exhausted(caller: Caller, budget: int, used: int) -> SafetyError | None:
    left = _own_budget(caller, budget) - used
    return over_budget(caller.name, 1, left) if left <= 0 else None


def over_budget(name: str, rows: int, left: int) -> SafetyError:
    """Make the error for more rows than are left of the last 24 hours."""
    return SafetyError(
        f"{rows} rows are more than the {max(left, 0)} that caller {name} has left of 24 hours",
        f"wait, or let an operator raise it: canary suppress allow {name} --rows N",
    )


def _own_budget(caller: Caller, budget: int) -> int:
    return budget if caller.rows_a_day is None else caller.rows_a_day


def _refuse(tools: Tools, caller: Caller, os_user: str, outcome: str) -> None:
    """Write a refusal into the ledger."""
    now = tools.clock.now_ms()
    with tools.registry.begin() as tx:
        body = {"action": "check", "caller": caller.name, "os_user": os_user, "outcome": outcome}
        journal.append(tx, KIND, body, tools.signer, now)


def rows_left(tools: Tools, caller: Caller, budget: int) -> int:
    """Count the rows that a caller may still have checked now."""
    with tools.registry.read() as tx:
        used = suppressions.rows_since(tx, caller.name, tools.clock.now_ms() - DAY_MS)
    return max(0, _own_budget(caller, budget) - used)


def charge(tools: Tools, asked: Asked, found: Found) -> Charged:
    """Charge a check to its caller, or refuse it; either is committed with its ledger entry before this returns."""
    now = tools.clock.now_ms()
    error: SafetyError | None = None
    with tools.registry.begin() as tx:
        suppressions.ensure(tx, Caller(asked.caller, os_user=asked.os_user, added_ms=now))
        caller = suppressions.caller(tx, asked.caller)
        assert caller is not None  # it was stored just now  # noqa: S101
        left = _own_budget(caller, asked.budget) - suppressions.rows_since(tx, caller.name, now - DAY_MS)
        outcome, error = "answered", _stopped(caller)
        if error is not None:
            outcome = "stopped"
        elif found.rows > left:
            outcome, error = "budget", over_budget(caller.name, found.rows, left)
        elif (reason := _judged(tx, caller, scope(tools, caller), found, now)) is not None:
            caller = replace(caller, stopped_ms=now, reason=reason)
            outcome, error = "alarm", _stopped(caller)
            suppressions.put(tx, caller)
            _alert(tx, tools, caller, found.rows, now)
        else:
            suppressions.note(tx, caller.name, now, found.rows, len(found.numbers), asked.sha256_in)
            suppressions.note_met(tx, caller.name, now, [one.serial for one in found.met])
        index = journal.append(tx, KIND, _body(asked, found, outcome), tools.signer, now)
    if error is not None:
        raise error
    return Charged(index, left - found.rows)


def _body(asked: Asked, found: Found, outcome: str) -> dict[str, object]:
    told = outcome in ("answered", "alarm")
    return {
        "action": "check",
        "caller": asked.caller,
        "os_user": asked.os_user,
        "outcome": outcome,
        "rows": found.rows,
        "withheld": len(found.numbers) if told else None,
        "strays": sum(one.stray for one in found.met) if told else None,
        "format": asked.format,
        "sha256_in": asked.sha256_in,
    }


def _judged(tx: Tx, caller: Caller, recipients: Sequence[str], found: Found, now: int) -> str | None:
    """Judge this file, the last day and the last thirty; what was before a lift is forgiven."""
    windows = []
    for span in WINDOWS_MS:
        since = max(now - span, caller.lifted_ms)
        met, rows = list(found.met), found.rows
        if span:
            rows += suppressions.rows_since(tx, caller.name, since)
            before = suppressions.met_since(tx, caller.name, since)
            met += suppressions.known(tx, before, recipients)
        windows.append(window(rows, met, now))
    return alarm(windows, suppressions.shares(tx, recipients))


def _alert(tx: Tx, tools: Tools, caller: Caller, rows: int, now: int) -> None:
    """Put the alarm into the outbox; it does not wait for the end of quiet hours."""
    alerts = tools.config.get("alerts")
    body = letter.suppress_body(caller.name, rows, now)
    for channel in channel_names(alerts if isinstance(alerts, Mapping) else {}):
        key = letter.key_of(letter.SUPPRESS, caller.name, now, channel)
        outbox.add(tx, key=key, event=letter.SUPPRESS, channel=channel, body=body, due_ms=now)


def allow(
    tools: Tools, name: str, os_user: str | None, rows_a_day: int | None, recipients: tuple[str, ...] | None
) -> Caller:
    """Register a caller, or change what one may: None leaves a thing as it is."""
    check_name("the caller's name", name)
    now = tools.clock.now_ms()
    with tools.registry.begin() as tx:
        suppressions.ensure(tx, Caller(name, added_ms=now))
        caller = suppressions.caller(tx, name)
        assert caller is not None  # it was stored just now  # noqa: S101
        changed = replace(
            caller,
            os_user=os_user or caller.os_user,
            rows_a_day=caller.rows_a_day if rows_a_day is None else rows_a_day,
            recipients=caller.recipients if recipients is None else recipients,
        )
        suppressions.put(tx, changed)
        body = {
            "action": "allow", "caller": name, "os_user": changed.os_user, "rows_a_day": changed.rows_a_day,
            "recipients": list(changed.recipients),
        }  # fmt: skip
        journal.append(tx, KIND, body, tools.signer, now)
    return changed


def lift(tools: Tools, name: str) -> Caller:
    """Let a caller that was stopped ask again; what it met before no longer counts for the alarm."""
    now = tools.clock.now_ms()
    with tools.registry.begin() as tx:
        caller = suppressions.caller(tx, name)
        if caller is None:
            raise UsageError(f"no caller {name!r} is registered", "see canary suppress list")
        if caller.stopped_ms is None:
            raise UsageError(f"caller {name} is not stopped", "see canary suppress list")
        changed = replace(caller, stopped_ms=None, reason="", lifted_ms=now)
        suppressions.put(tx, changed)
        journal.append(tx, KIND, {"action": "lift", "caller": name}, tools.signer, now)
    return changed
