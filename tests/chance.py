"""Every test meets the same chance at each run: what the system's randomness gives follows from the test's name.

Keys, salts, ids and drawn canaries come from `os.urandom` (through `secrets` and `random.SystemRandom` as well). Each
fixture and each test draws from a stream of its own, named after it, so that neither order nor selection of tests
changes what it gets. What libraries name their files after is left to the system: numba names the files of its cache
by `uuid4`, at the first run alone, and a run after it would draw something else.
"""

from __future__ import annotations

import os
import random
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager

import numpy.random  # noqa: F401 - it draws a seed when it is loaded, which would be the first test's that needs it
import pytest

_MODULES = ((os, "urandom"), (random, "_urandom"))  # `secrets` and `SystemRandom` draw from the second
_draws = threading.Lock()
_system = os.urandom


def _source(name: str) -> random.Random:
    return random.Random(f"canary/tests/{name}")


def _apart() -> uuid.UUID:
    return uuid.UUID(bytes=_system(16), version=4)


@contextmanager
def chance(name: str) -> Generator[None, None, None]:
    """Let the system's randomness follow from a name, until the block ends."""
    source = _source(name)

    def drawn(count: int) -> bytes:
        with _draws:
            return source.randbytes(count)

    with pytest.MonkeyPatch.context() as patched:
        for module, attribute in _MODULES:
            patched.setattr(module, attribute, drawn)
        patched.setattr(uuid, "uuid4", _apart)
        yield


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
