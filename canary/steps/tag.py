"""Tag: one copy of an export for each recipient, with canaries of its own.

Order of effects, so that a kill at any moment leaves nothing half-done: the copies are written to temporary
files, then one transaction stores canaries, releases and ledger entries, then the files are renamed to their
places. A call that was cut off before the rename is finished by making it again: its identity finds the release.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from canary.errors import OutsideError
from canary.model.canary import Canary, Release
from canary.model.data import Policy
from canary.steps import datasets, derived, drawing, groups, marking, releasing
from canary.steps.copies import Copies, FileCopies, Source, Written, open_source
from canary.steps.datasets import Chosen
from canary.steps.held import recorder
from canary.steps.marking import CopyMarks, Scheme, Unplanned
from canary.steps.newrows import new_rows
from canary.steps.planned import NOTHING, Planned, of_release
from canary.steps.shown import unknown_recipient
from canary.steps.tagging import (
    DEFAULT_CANARIES,
    TagAnswer,
    Tagged,
    TagRequest,
    check_canaries,
    check_recipients,
    fresh_identity,
    identity,
    outputs_of,
)
from canary.steps.tools import Tools
from canary.store import recipients, releases
from canary.store.issuing import Collision
from canary.store.marks import put_distortion
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.fingerprint.learn import Seen

NO_POLICY = "no policy: real rows stay as they are, canaries alone are planted"
NO_MARKS = "nothing in this table can carry the marks of the policy: canaries alone are planted"
READING = 128  # copies that are written in one reading of the input
TRIES = 5  # drawings until the registry takes one; a collision is a matter of 2^-36


@dataclass(frozen=True)
class Job:
    """One recipient's copy in the making; `known` is its release where the same call was made before."""

    recipient: str
    output: str
    known: Release | None
    planned: Planned = NOTHING


@dataclass(frozen=True)
class Batch:
    """The copies that one reading of a source makes, and what they have in common."""

    source: Source
    request: TagRequest
    chosen: Chosen
    canaries: float
    jobs: tuple[Job, ...]
    ghosts: Planned = NOTHING
    pool: tuple[Canary, ...] = ()
    carried: derived.Carried = derived.NOTHING
    scheme: Scheme | Unplanned | None = None
    warnings: tuple[str, ...] = ()


def tag(tools: Tools, request: TagRequest) -> TagAnswer:
    """Make one tagged copy a recipient; the same call gives the same releases and bytes again."""
    check_recipients(request.recipients)
    if request.canaries is not None:
        check_canaries(request.canaries)
    with ExitStack() as stack:
        source = open_source(stack, request.input, request.table)
        outputs = outputs_of(request, source.suffix)
        source.check_outputs(outputs)
        answers = [
            tag_source(
                tools,
                source,
                replace(request, recipients=request.recipients[at : at + READING]),
                FileCopies(stack, outputs[at : at + READING], make_folder=len(outputs) > 1 or request.many),
            )
            for at in range(0, len(outputs), READING)
        ]
    warnings = tuple(dict.fromkeys(warning for answer in answers for warning in answer.warnings))
    return TagAnswer(
        tuple(one for answer in answers for one in answer.releases), warnings, answers[0].dataset
    )


def tag_source(tools: Tools, source: Source, request: TagRequest, copies: Copies) -> TagAnswer:
    """Tag one opened source for at most 128 recipients."""
    began = time.monotonic()
    batch = _batch(tools, source, request, copies.outputs)
    for _ in range(TRIES):
        batch, marks = _planned(tools, batch)
        if request.dry_run:
            return _answer(batch, [_dry(batch, job) for job in batch.jobs], began)
        written = copies.write(source, [job.planned for job in batch.jobs], marks)
        source.check_unchanged()
        copies.check(force=request.force)
        try:
            made = _store(tools, batch, written, marks)
        except Collision:
            copies.discard()
            continue
        copies.commit()
        told = marks.warnings() if marks else ()
        batch = replace(batch, warnings=(*batch.warnings, *written.warnings, *told))
        return _answer(batch, [_told(batch, *pair) for pair in zip(batch.jobs, made, strict=True)], began)
    raise OutsideError(
        "no free values were left for canaries", "add a mail domain or reserve a range in the policy"
    )


def _batch(tools: Tools, source: Source, request: TagRequest, outputs: Sequence[str]) -> Batch:
    with tools.registry.read() as tx:
        for one in request.recipients:
            found = recipients.get(tx, one)
            if found is None or found.ghost:
                raise unknown_recipient(one)
        chosen = datasets.choose(
            tx, source.headings, request.policy, request.dataset, source.stem, tools.clock.now_ms()
        )
        proposed = chosen.policy.canaries if chosen.policy else None
        canaries = next(one for one in (request.canaries, proposed, DEFAULT_CANARIES) if one is not None)
        check_canaries(canaries)
        jobs = tuple(
            _job(tx, source, request, chosen, canaries, *pair)
            for pair in zip(request.recipients, outputs, strict=True)
        )
        scheme = _scheme(tx, tools, request, chosen)
    warnings = () if chosen.policy else (NO_POLICY,)
    return Batch(source, request, chosen, canaries, jobs, scheme=scheme, warnings=warnings)


def _marks_wanted(request: TagRequest, policy: Policy | None) -> bool:
    asked = policy is not None and (policy.omit > 0 or any(one.mark for one in policy.columns.values()))
    return asked and request.marks


def _scheme(tx: Tx, tools: Tools, request: TagRequest, chosen: Chosen) -> Scheme | Unplanned | None:
    if chosen.policy is None or not _marks_wanted(request, chosen.policy):
        return None
    version = chosen.version
    return marking.scheme_of(tx, tools, version.sha256, chosen.policy, version.dataset)


def _job(
    tx: Tx, source: Source, request: TagRequest, chosen: Chosen, canaries: float, recipient: str, output: str
) -> Job:
    if request.new or not releases.has_any(tx, recipient, chosen.version.sha256):
        return Job(recipient, output, None)  # the input is not digested before it is read
    same = _identity(source, request, chosen, canaries, recipient)
    return Job(recipient, output, releases.by_identity(tx, same))


def _identity(source: Source, request: TagRequest, chosen: Chosen, canaries: float, recipient: str) -> str:
    """Digest what makes a copy the same one again; of --new copies none is."""
    same = identity(
        source.sha256, recipient, chosen.version.sha256, canaries, request.marks, source.format, request.table
    )
    return fresh_identity(same) if request.new else same


def _planned(tools: Tools, batch: Batch) -> tuple[Batch, CopyMarks | None]:
    """Fill in the canaries of every job, those of its known release or fresh ones, and prepare their marks."""
    first = marking.first_pass(batch.scheme, batch.source.table) if batch.scheme else None
    stored = batch.scheme if isinstance(batch.scheme, Scheme) else None
    fresh = [job for job in batch.jobs if job.known is None]
    with tools.registry.read() as tx:
        known = {job.recipient: of_release(tx, job.known) for job in batch.jobs if job.known is not None}
        ghosts = (
            0
            if not fresh or releasing.has_ghosts(tx, batch.chosen.version.dataset)
            else releasing.GHOST_CANARIES
        )
    drawn = drawing.draw(
        tools, batch.source, batch.chosen, batch.canaries, [job.recipient for job in fresh], ghosts,
        require_contacts=batch.request.require_contacts, dry_run=batch.request.dry_run,
        also=None if first is None else first.feed,
        fresh=new_rows(tools, stored, [job.recipient for job in fresh]),
    )  # fmt: skip
    plans = known | {job.recipient: plan for job, plan in zip(fresh, drawn.plans, strict=True)}
    jobs = tuple(replace(job, planned=plans[job.recipient]) for job in batch.jobs)
    warnings = tuple(dict.fromkeys((*batch.warnings, *drawn.warnings)))
    batch = replace(
        batch, jobs=jobs, ghosts=drawn.ghosts, pool=drawn.pool, carried=drawn.carried, warnings=warnings
    )
    if first is None:
        return batch, None
    if not fresh:
        for rows in batch.source.table.batches(first.columns):
            first.feed(rows)
    made = first.finish(batch.source.table)
    if made is None:
        return replace(batch, warnings=(*batch.warnings, NO_MARKS), scheme=None), None
    return (batch, None) if batch.request.dry_run else _marked(tools, batch, *made)


def _marked(tools: Tools, batch: Batch, scheme: Scheme, seen: Seen) -> tuple[Batch, CopyMarks]:
    """Spell the fresh canaries as each recipient's real rows will be, and prepare the marks of all copies."""
    with tools.registry.read() as tx:
        keys = [recipients.mark_key(tx, job.recipient) for job in batch.jobs]
        rows = recorder(tx, tools, seen, scheme.version, batch.source.sha256)
    jobs = []
    for job, key in zip(batch.jobs, keys, strict=True):
        planned = job.planned
        fresh = set() if job.known else {one.id for one in planned.canaries} - planned.kept
        new = [one for one in planned.canaries if one.id in fresh | planned.shared]
        spelt = {one.id: one for one in marking.planted(scheme, seen, new, key)}
        canaries = tuple(spelt.get(one.id, one) for one in planned.canaries)
        jobs.append(replace(job, planned=replace(planned, canaries=canaries)))
    return replace(batch, jobs=tuple(jobs), scheme=scheme), CopyMarks(seen, keys, rows)


def _store(tools: Tools, batch: Batch, written: Written, marks: CopyMarks | None) -> list[Release]:
    version = batch.chosen.version
    names = [
        _identity(batch.source, batch.request, batch.chosen, batch.canaries, job.recipient)
        for job in batch.jobs
    ]  # before the transaction: the input may have to be read for them
    with tools.registry.begin() as tx:
        releasing.ensure_dataset(tx, tools, version, batch.ghosts)
        groups.issue(tx, tools, version, batch.pool)
        if isinstance(batch.scheme, Scheme):
            marking.keep(tx, batch.scheme)
        if marks is not None and marks.recorder is not None:
            marks.recorder.keep(tx, version.sha256, batch.source.sha256)
        made = []
        for number, job in enumerate(batch.jobs):
            if job.known is not None:
                made.append(_same(job.known, written.sha256[number]))
                continue
            release = Release(
                id=releasing.new_release_id(), identity=names[number], dataset=version.dataset, version=version.sha256,
                recipient=job.recipient, kind="export", state=releasing.DONE, input=batch.source.name,
                output=job.output, format=batch.source.format, rows_in=written.rows_in,
                rows_out=written.rows_out[number], canaries=len(job.planned.canaries),
                marked_cells=marks.cells[number] if marks else 0,
                sha256_in=batch.source.sha256, sha256_out=written.sha256[number],
                created_ms=tools.clock.now_ms(), derived_from=batch.carried.releases,
            )  # fmt: skip
            made.append(releasing.issue(tx, tools, release, job.planned, batch.carried))
            if marks is not None:
                put_distortion(tx, release.id, marks.report(number))
    return made


def _same(known: Release, sha256: str) -> Release:
    """Check that a repeated call gives the bytes that were recorded; their difference must never pass silently."""
    if known.sha256_out != sha256:
        raise OutsideError(
            f"this call was made before as release {known.id}, but now gives other bytes",
            "make another release with --new, or use the version of canary that made it",
        )
    return known


def _told(batch: Batch, job: Job, release: Release) -> Tagged:
    return Tagged(
        release.id, job.recipient, batch.source.name, job.output, release.rows_in, release.rows_out, release.canaries,
        release.marked_cells, release.sha256_in, release.sha256_out, release.ledger_index, 0.0,
    )  # fmt: skip


def _dry(batch: Batch, job: Job) -> Tagged:
    canaries, rows = len(job.planned.canaries), job.planned.rows_in
    known = job.known.id if job.known else None
    return Tagged(
        known, job.recipient, batch.source.name, job.output, rows, rows + canaries, canaries, 0,
        batch.source.sha256, job.known.sha256_out if job.known else "", None, 0.0,
    )  # fmt: skip


def _answer(batch: Batch, told: Sequence[Tagged], began: float) -> TagAnswer:
    seconds = round(time.monotonic() - began, 3)
    return TagAnswer(
        tuple(replace(one, seconds=seconds) for one in told), batch.warnings, batch.chosen.version.dataset
    )
