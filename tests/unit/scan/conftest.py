"""A small registry in memory: canaries that were issued, their index, and what opens them."""

from __future__ import annotations

import pytest

from tests.scanlab import Lab, two_canaries


@pytest.fixture(scope="session")
def lab() -> Lab:
    return two_canaries()
