"""One small marked table for the tests of this room."""

from __future__ import annotations

import pytest

from tests import markslab


@pytest.fixture(scope="session")
def parcels():
    return markslab.lab(rows=600, dataset="omit = 0.02")
