"""What every step is handed: the registry, keys, signer, clock, randomness and settings of one home."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from canary.keys import Keys
    from canary.ledger.note import Signer
    from canary.ports import Clock
    from canary.store.registry import Registry


def _silent(_label: str, _done: int, _total: int | None) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Tools:
    """The ready tools of one home; built by wiring alone."""

    registry: Registry
    keys: Keys
    signer: Signer
    clock: Clock
    new_rng: Callable[[], random.Random]
    config: Mapping[str, object]
    folder: Path
    progress: Callable[[str, int, int | None], None] = field(default=_silent)
