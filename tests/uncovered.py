"""End-to-end tests run without coverage measurement: it would double their time, and rooms are covered by their own tests."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage
import pytest

WHOLE = ("scenarios", "docs", "kill", "integration/marks", "integration/realism")
_TESTS = Path(__file__).parent
_IN_PROCESSES = "COVERAGE_PROCESS_CONFIG"  # how coverage follows into sub-processes


def _is_whole(path: Path) -> bool:
    return any(path.is_relative_to(_TESTS / room) for room in WHOLE)


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
    if not _is_whole(item.path):
        return (yield)
    with _unmeasured():
        return (yield)
