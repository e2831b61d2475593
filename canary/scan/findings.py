"""Several findings as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from canary.model.evidence import Candidates, Findings, Hit, ScanError
from canary.scan.tally import candidates_of


def joined(all_findings: Iterable[Findings]) -> Findings:
    """Join findings; candidates add up, so that the bound counts every look-up."""
    many = list(all_findings)
    shaped: Counter[tuple[str, ...]] = Counter()
    for one in many:
        shaped.update(one.candidates.shaped)
    return Findings(
        tuple(hit for one in many for hit in one.hits),
        candidates_of(shaped, frozenset().union(*(one.candidates.hit for one in many))),
        sum(one.rows for one in many),
        sum(one.bytes for one in many),
        sum(one.files for one in many),
        tuple(error for one in many for error in one.errors),
    )


def plain_findings(findings: Findings) -> dict[str, Any]:
    """Turn findings into what JSON knows."""
    return {
        "hits": [
            [one.canary, dict(one.roles), one.file, one.member, one.offset, one.record]
            for one in findings.hits
        ],
        "shaped": [[list(shapes), count] for shapes, count in findings.candidates.shaped.items()],
        "hit": sorted(findings.candidates.hit),
        "counts": [findings.rows, findings.bytes, findings.files],
        "errors": [[one.file, one.member, one.reason] for one in findings.errors],
    }


def findings_of(plain: Mapping[str, Any]) -> Findings:
    """Make findings again."""
    shaped = {tuple(shapes): count for shapes, count in plain["shaped"]}
    rows, size, files = plain["counts"]
    counted: Candidates = candidates_of(shaped, frozenset(plain["hit"]))
    return Findings(
        tuple(Hit(*one) for one in plain["hits"]),
        counted,
        rows,
        size,
        files,
        tuple(ScanError(*one) for one in plain["errors"]),
    )
