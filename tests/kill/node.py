"""One node of a watch as a process of its own: `python -m tests.kill.node URL CONFIG LEASE_MS`, to be killed."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from canary.daemon import polling, watcher
from canary.keys import Keys
from canary.ledger.note import Signer
from canary.store.registry import Registry
from canary.wiring import MachineClock
from tests.watch_tools import PlainEyes


def main(url: str, config: str, lease_ms: str) -> None:
    polling.LEASE_MS = int(lease_ms)  # type: ignore[misc]
    watcher.CARE_SECONDS = int(lease_ms) / 5_000  # type: ignore[misc]
    registry = Registry.open(url, Keys(bytes(range(32))))
    made = watcher.Watcher.from_config(
        registry, json.loads(config), Signer(bytes(range(1, 33))), MachineClock(), Path("/nowhere"), None,
        random.SystemRandom(), PlainEyes([]),
    )  # fmt: skip
    made.leader._lease_ms = int(lease_ms)
    made.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
