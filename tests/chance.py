"""Every test meets the same chance at each run: what the system's randomness gives follows from the test's name.

Keys, salts, ids and drawn canaries come from `os.urandom` (through `secrets` and `random.SystemRandom` as well). Each
fixture and each test draws from a stream of its own, named after it, so that neither order nor selection of tests
changes what it gets.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

_MODULES = ((os, "urandom"), (random, "_urandom"))  # `secrets` and `SystemRandom` draw from the second
_draws = threading.Lock()


def _source(name: str) -> random.Random:
    return random.Random(f"canary/tests/{name}")


@contextmanager
def chance(name: str) -> Generator[None, None, None]:
    """Let the system's randomness follow from a name, until the block ends."""
    source = _source(name)

    def drawn(count: int) -> bytes:
        with _draws:
            return source.randbytes(count)

    before = [getattr(module, attribute) for module, attribute in _MODULES]
    for module, attribute in _MODULES:
        setattr(module, attribute, drawn)
    try:
        yield
    finally:
        for (module, attribute), one in zip(_MODULES, before, strict=True):
            setattr(module, attribute, one)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    with chance(f"{request.node.nodeid}\0{fixturedef.argname}"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with chance(item.nodeid):
        return (yield)
