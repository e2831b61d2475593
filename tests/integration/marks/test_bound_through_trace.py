"""The bound through the whole of `trace`: a small run of benchmarks/marks_trace.py."""

import pytest

from benchmarks import marks_trace

RECIPIENTS = 1_000


@pytest.fixture(scope="module")
def found():
    return marks_trace.run(RECIPIENTS, say=lambda _: None, rows=1_200, channels=False)


def test_no_innocent_is_named(found):
    assert {title: wrong for title, (_, wrong) in found.items() if wrong} == {}


def test_large_evidence_is_as_rare_among_innocents_as_the_bound_says(found):
    for title, (shares, _) in found.items():
        for bar, share in zip(marks_trace.THRESHOLDS, shares, strict=True):
            spread = 4 * (2**-bar / RECIPIENTS) ** 0.5
            assert share <= 2**-bar + spread, f"{title}: {share} above 2^{bar}"
