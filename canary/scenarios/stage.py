"""Plays a story: act by act, then the one comparison with the truth."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from canary.scenarios.acts import ACTS
from canary.scenarios.story import DEFAULT, Story, load, names
from canary.scenarios.world import Run, World

__all__ = ["DEFAULT", "Played", "play", "stories"]


@dataclass(frozen=True, slots=True)
class Played:
    """How a story ended, as `demo --json` tells it."""

    scenario: str
    truth: tuple[str, ...]
    outcome: str
    named: tuple[str, ...]
    ok: bool
    seconds: float


def stories() -> list[Story]:
    """Read all stories, the default one first."""
    return [load(name) for name in names()]


def play(name: str, run: Run, *, scale: float = 1.0, say: Callable[[str], None] | None = print) -> Played:
    """Play one story in a throw-away home through the public commands that `run` carries out."""
    story = load(name)
    say = say or _silent
    began = time.monotonic()
    say(f"{story.title}\n{story.summary}\n")
    with tempfile.TemporaryDirectory(prefix="canary-demo-") as folder:
        world = World(Path(folder), run, say, scale, random.Random(story.seed))  # noqa: S311 - a story, not a secret
        world.command("init")
        world.command("init", home=world.stage)
        for number, act in enumerate(story.acts, 1):
            told = ACTS[act.do](world, act.parameters)
            say(f"{number}. {act.say}\n   {told}")
        played = compare(story.name, world, time.monotonic() - began)
    say(f"\nthe truth was: {', '.join(played.truth)}\nnamed: {', '.join(played.named) or 'nobody'}")
    say(f"{'right' if played.ok else 'WRONG'}, in {played.seconds:.0f} s")
    return played


def _silent(_: str) -> None:
    """Say nothing: the answer is for a program."""


def compare(name: str, world: World, seconds: float) -> Played:
    """Compare what was named with the truth: the same recipients, and no release outside the leaked ones."""
    suspects = [one for answer in world.answers for one in answer["suspects"] if one["status"] == "named"]
    named = {one["recipient"] for one in suspects}
    cited = {release for one in suspects for release in one["releases"]}
    window = not world.truth.releases or cited == world.truth.releases
    every = all(answer["outcome"] == "named" for answer in world.answers) and bool(world.answers)
    return Played(
        scenario=name,
        truth=tuple(sorted(world.truth.guilty)),
        outcome=world.answers[0]["outcome"] if world.answers else "inconclusive",
        named=tuple(sorted(named)),
        ok=named == world.truth.guilty and window and every,
        seconds=round(seconds, 3),
    )
