"""Trace: who leaked this, from files or from an incident; every answer is in the ledger."""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from canary.model.data import Policy
from canary.model.evidence import Findings
from canary.model.verdict import Trace
from canary.steps import cases, decoding
from canary.steps.evidence import Seen, build_case, groups_found, hit_canaries
from canary.steps.scan import search
from canary.steps.tools import Tools
from canary.store import journal
from canary.trace.case import Limits
from canary.trace.verdict import conclude
from canary.uncollected import uncollected

INCIDENT = re.compile(r"i-[a-z2-7]{13}")


@dataclass(frozen=True)
class Asked:
    """What a trace is to look at besides the leak: the untouched original, and the one policy to read marks under."""

    original: Path | None = None
    policy: Policy | None = None


AS_IT_IS = Asked()


def trace(tools: Tools, paths: Sequence[str], asked: Asked = AS_IT_IS) -> Trace:
    """Conclude who leaked some files, or one incident; nobody found is an ordinary answer."""
    if len(paths) == 1 and INCIDENT.fullmatch(paths[0]) and not Path(paths[0]).exists():
        return trace_incident(tools, paths[0], asked)
    began = time.monotonic()
    with ExitStack() as stack:
        places = [_place(stack, path) for path in paths]
        findings = search(tools, [str(place) for place in places])
        answer = _conclude(tools, findings, places, Seen(), cases.limits_of(tools, None), asked)
    answer = replace(answer, seconds=round(time.monotonic() - began, 3))
    with tools.registry.begin() as tx:
        journal.append(
            tx,
            "trace",
            {"input": digest_of(findings), **ledger_body(answer)},
            tools.signer,
            tools.clock.now_ms(),
        )
    return answer


def trace_incident(tools: Tools, incident: str, asked: Asked = AS_IT_IS) -> Trace:
    """Conclude who leaked what an incident holds; the verdict is kept with the incident."""
    began = time.monotonic()
    found = cases.get(tools, incident)
    findings, seen, digest = cases.gathered(tools, found)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-incident-")))
        files = cases.files_in(tools, found, folder)
        answer = _conclude(tools, findings, files, seen, cases.limits_of(tools, found), asked)
    answer = replace(answer, seconds=round(time.monotonic() - began, 3))
    cases.keep_verdict(tools, found, answer, digest, ledger_body(answer))
    return answer


def _place(stack: ExitStack, path: str) -> Path:
    """Give the file or folder of a path; standard input is spooled, since it is read twice."""
    if path != "-":
        return Path(path)
    from canary.files import spool_stdin

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canary-stdin-")))
    return spool_stdin(sys.stdin.buffer, folder)


def _conclude(
    tools: Tools, findings: Findings, files: Sequence[Path], seen: Seen, limits: Limits, asked: Asked
) -> Trace:
    with tools.registry.read() as tx:
        hits = hit_canaries(tx, findings, seen)
    shared = groups_found(hits, findings, seen.earliest_ms)
    bar = decoding.Bar(limits.false_accusation, seen.n_frozen, seen.earliest_ms)
    marks = decoding.marks_of(tools, files, bar, asked.policy, asked.original, shared)
    with uncollected():
        with tools.registry.read() as tx:
            case = build_case(tx, findings, seen, marks, hits)
        return conclude(case, limits)


def digest_of(findings: Findings) -> str:
    """Digest what was found, so that the ledger says which evidence an answer rests on."""
    text = json.dumps(
        [[hit.canary, sorted(hit.roles.items()), hit.member, hit.offset] for hit in findings.hits],
        sort_keys=True,
    )
    return hashlib.sha256(f"{findings.bytes}\0{text}".encode()).hexdigest()


def ledger_body(answer: Trace) -> dict[str, object]:
    """Give what the ledger keeps of an answer."""
    return {
        "outcome": answer.outcome,
        "suspects": [
            {
                "recipient": one.recipient,
                "status": one.status,
                "log10_false_accusation": _log10(one.false_accusation),
            }
            for one in answer.suspects
        ],
    }


def _log10(bound: float) -> float:
    return round(math.log10(bound), 3) if bound > 0 else -999.0


def public(answer: Trace) -> dict[str, object]:
    """Give an answer as `trace --json` tells it."""
    return {
        "outcome": answer.outcome,
        "suspects": list(answer.suspects),
        "unknown_source": answer.unknown_source,
        "registry_compromised": answer.registry_compromised,
        "rows": answer.rows,
        "rows_recognised": answer.rows_recognised,
        "errors": list(answer.errors),
        "explanation": list(answer.explanation),
        "seconds": answer.seconds,
    }
