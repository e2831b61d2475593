"""Suppress: a file of the owner's own without the rows of canaries, for batch jobs that must not act on them.

Order of effects, so that nothing is disclosed that was not charged: the file is read and judged, then one
transaction charges the caller and writes the ledger entry (or stops the caller and raises the alarm), and only then
the copy is written. A call that was cut off in between was charged and told nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from canary.errors import UsageError
from canary.model.suppress import Caller
from canary.steps import datasets, suppress_gate
from canary.steps.copies import FileCopies, Source, open_source
from canary.steps.drawing import roles_of
from canary.steps.outputs import check_free
from canary.steps.shown import unknown_recipient
from canary.steps.suppress_find import sift
from canary.steps.suppress_gate import Asked
from canary.steps.suppress_rule import Columns, is_looked_up
from canary.steps.tools import Tools
from canary.store import canaries, suppressions
from canary.store import recipients as people

ROWS_A_DAY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """One call of `suppress check`: `os_user` is who calls, `caller` the job it calls for (None: itself)."""

    input: str
    output: str
    os_user: str
    caller: str | None = None
    table: str | None = None
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """What `suppress check --json` tells; in a dry run nothing about canaries."""

    caller: str
    input: str
    output: str
    rows_in: int
    rows_out: int | None
    rows_left: int
    sha256_in: str
    sha256_out: str | None
    ledger_index: int | None
    seconds: float
    warnings: tuple[str, ...] = ()


def check(tools: Tools, request: CheckRequest) -> Checked:
    """Write a file without the rows of canaries.

    Raises SafetyError where the budget is used up, the caller is stopped, or the file raises the alarm.
    """
    began = time.monotonic()
    budget = budget_of(tools)
    caller = suppress_gate.admit(tools, request.caller, request.os_user, budget, dry_run=request.dry_run)
    with ExitStack() as stack:
        source = open_source(stack, request.input, request.table)
        source.check_outputs([request.output])
        _check_output(tools, request, caller, source)
        if request.dry_run:
            return _previewed(tools, request, caller, source, began)
        scope = suppress_gate.scope(tools, caller)
        found = sift(tools, source.table, _columns(tools, source, scope), scope)
        asked = Asked(caller.name, request.os_user, source.sha256, source.format, budget)
        charged = suppress_gate.charge(tools, asked, found)
        copies = FileCopies(stack, [request.output])
        written = copies.leave_out(source, found.numbers)
        source.check_unchanged()
        copies.check(force=request.force)
        copies.commit()
    return Checked(
        caller.name, source.name, request.output, written.rows_in, written.rows_out[0], charged.left,
        source.sha256, written.sha256[0], charged.ledger_index, round(time.monotonic() - began, 3),
        tuple(dict.fromkeys(written.warnings)),
    )  # fmt: skip


def budget_of(tools: Tools) -> int:
    """Give the rows a day of a caller that has no budget of its own."""
    table = tools.config.get("suppress")
    settings: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
    return int(settings.get("rows_a_day", ROWS_A_DAY))


def _check_output(tools: Tools, request: CheckRequest, caller: Caller, source: Source) -> None:
    """Refuse an output that exists; only of a file that was checked before it may be the same answer again."""
    if request.output == "-":
        return
    folder = Path(request.output).parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", "make it first, or choose another --output")
    with tools.registry.read() as tx:
        again = suppressions.checked_before(tx, caller.name, source.sha256)
    check_free(Path(request.output), force=request.force or again)


def _columns(tools: Tools, source: Source, scope: Sequence[str]) -> Columns:
    """Give the columns their roles: the policy's, or a guess, or what was planted under such a heading."""
    with tools.registry.read() as tx:
        chosen = datasets.choose(tx, source.headings, None, None, source.stem, tools.clock.now_ms())
        samples = canaries.by_serials(tx, suppressions.samples(tx, scope))
    planted = {each.column: each.role for one in samples for each in one.fields if is_looked_up(each.role)}
    roles = roles_of(source.table, chosen)
    return Columns(
        {name: role if is_looked_up(role) else planted.get(name, role) for name, role in roles.items()}
    )


def _previewed(tools: Tools, request: CheckRequest, caller: Caller, source: Source, began: float) -> Checked:
    """Count the rows and compare them with the budget; no canary is looked up."""
    rows = sum(batch.rows.num_rows for batch in source.table.batches(source.headings[:1]))
    left = suppress_gate.rows_left(tools, caller, budget_of(tools))
    if rows > left:
        raise suppress_gate.over_budget(caller.name, rows, left)
    seconds = round(time.monotonic() - began, 3)
    return Checked(
        caller.name, source.name, request.output, rows, None, left - rows, source.sha256, None, None, seconds,
        tuple(source.table.warnings),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CallerRow:
    """A caller as `suppress list` tells it; times in milliseconds."""

    caller: str
    os_user: str | None
    rows_a_day: int
    rows_left: int
    recipients: tuple[str, ...]
    added: int
    stopped: int | None
    reason: str


def allow(
    tools: Tools, name: str, os_user: str | None, rows_a_day: int | None, recipients: tuple[str, ...] | None
) -> CallerRow:
    """Register a caller, or change what one may; None leaves a thing as it is."""
    with tools.registry.read() as tx:
        for one in recipients or ():
            found = people.get(tx, one)
            if found is None or found.ghost:
                raise unknown_recipient(one)
    return _row(tools, suppress_gate.allow(tools, name, os_user, rows_a_day, recipients))


def lift(tools: Tools, name: str) -> CallerRow:
    """Let a caller that was stopped ask again."""
    return _row(tools, suppress_gate.lift(tools, name))


def list_all(tools: Tools) -> list[CallerRow]:
    """List the callers by name."""
    with tools.registry.read() as tx:
        found = suppressions.callers(tx)
    return [_row(tools, caller) for caller in found]


def _row(tools: Tools, caller: Caller) -> CallerRow:
    budget = budget_of(tools)
    return CallerRow(
        caller.name, caller.os_user, budget if caller.rows_a_day is None else caller.rows_a_day,
        suppress_gate.rows_left(tools, caller, budget), caller.recipients, caller.added_ms, caller.stopped_ms,
        caller.reason,
    )  # fmt: skip
