"""Rest for Python's collector of cycles while many small things are made that are in none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no cycles meanwhile: every look goes through all there is, be it a noun for each of 100,000 recipients.

    Where two threads do this at once, the first one that ends it ends it for both.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
