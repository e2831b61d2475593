"""canary: honeytokens and fingerprints that name the recipient a personal-data leak came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from canary.home import Home

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(path: str | Path | None = None, *, database: str | None = None) -> Home:
    """Open the home at `path` (else CANARY_HOME, else the user's data folder); use it in a `with` block."""
    from canary.home import Home

    return Home.at(path, database=database)
