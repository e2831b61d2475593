"""End-to-end tests run without coverage measurement: it would double their time, and rooms are covered by their own tests."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

WHOLE = ("scenarios", "docs", "kill", "integration/marks", "integration/realism")
_TESTS = Path(__file__).parent
_IN_PROCESSES = "COVERAGE_PROCESS_CONFIG"  # how coverage follows into sub-processes


def _is_whole(path: Path) -> bool:
    return any(path.is_relative_to(_TESTS / room) for room in WHOLE)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    measuring = item.config.pluginmanager.getplugin("_cov")
    controller = getattr(measuring, "cov_controller", None)
    if controller is None or not _is_whole(item.path):
        return (yield)
    follows = os.environ.pop(_IN_PROCESSES, None)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()
        if follows is not None:
            os.environ[_IN_PROCESSES] = follows
