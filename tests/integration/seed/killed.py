"""A seeding in a process of its own, for tests that kill it: `killed.py FOLDER URL REQUEST COUNT STOP`.

STOP names the moment at which the process kills itself, or is empty: then the test does. "ready" is written when the
work begins.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from canary.steps import seed as step
from canary.steps import seed_record
from canary.store import releases
from tests.integration.seed.conftest import make_tools, plain_learn


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(place: Any, name: str) -> None:
    setattr(place, name, die)


def after(place: Any, name: str) -> None:
    whole: Callable[..., Any] = getattr(place, name)

    def cut(*arguments: Any, **more: Any) -> Any:
        whole(*arguments, **more)
        die()

    setattr(place, name, cut)


STOPS: dict[str, Callable[[], None]] = {
    "before it is recorded": lambda: before(seed_record, "issue"),
    "while it is recorded": lambda: after(releases, "add"),
    "before the database commits": lambda: before(step, "_commit"),
    "after the database committed": lambda: after(step, "_commit"),
    "before it is done": lambda: before(seed_record, "finish"),
}


def main(folder: str, url: str, request: str, count: str, stop: str) -> None:
    if stop:
        STOPS[stop]()
    step.learn = plain_learn
    tools = make_tools(Path(folder))
    print("ready", flush=True)
    step.seed(tools, step.SeedRequest(url, "person", "acme", int(count), request=request or None))
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
