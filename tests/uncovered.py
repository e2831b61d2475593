"""What repeats the work of others runs without coverage measurement, which would double its time.

These are end-to-end tests, whose rooms have tests of their own, and tests on a database server that run on SQLite too.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage
import pytest

WHOLE = (
    "docs",
    "integration/marks",
    "integration/realism",
    "integration/seed/test_seed_killed.py",
    "kill",
    "property/generators/test_canaries_fit_the_host.py",
    "property/trace",
    "scenarios",
    "unit/fingerprint/test_marks_copies.py",
    "unit/fingerprint/test_marks_mistakes.py",
    "unit/fingerprint/test_marks_validity.py",
)
AGAIN = ("integration/seed/test_seed", "integration/store")  # on servers they repeat what they do on SQLite
_TESTS = Path(__file__).parent
_IN_PROCESSES = "COVERAGE_PROCESS_CONFIG"  # how coverage follows into sub-processes


def _is_unmeasured(item: pytest.Item) -> bool:
    place = item.path.relative_to(_TESTS).as_posix()
    on_server = any(item.get_closest_marker(server) for server in ("postgresql", "mariadb"))
    return place.startswith(WHOLE) or (on_server and place.startswith(AGAIN))


@contextmanager
def _unmeasured() -> Iterator[None]:
    measuring = coverage.Coverage.current()
    follows = os.environ.pop(_IN_PROCESSES, None)
    if measuring is not None:
        measuring.stop()
    try:
        yield
    finally:
        if measuring is not None:
            measuring.start()
        if follows is not None:
            os.environ[_IN_PROCESSES] = follows


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if not _is_unmeasured(item):
        return (yield)
    with _unmeasured():
        return (yield)
