"""Fixtures and settings of every test."""

from __future__ import annotations

from hypothesis import settings
from hypothesis.internal.conjecture import providers

# A busy machine is no failure: time is measured by benchmarks, never by tests.
settings.register_profile("canary", deadline=None, max_examples=60, derandomize=True)
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile("canary")

# Constants gathered from every loaded module would make the examples depend on what was imported before a test.
providers._get_local_constants = lambda: providers._local_constants

pytest_plugins = ["tests.servers", "tests.plugin", "tests.chance", "tests.uncovered"]
