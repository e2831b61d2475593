"""Fixtures that every test may use."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure: time is measured by benchmarks, never by tests.
settings.register_profile("canary", deadline=None, max_examples=60)
settings.load_profile("canary")

pytest_plugins = ["tests.servers", "tests.plugin"]
