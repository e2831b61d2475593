"""Several findings as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from canary.model.evidence import Findings
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
