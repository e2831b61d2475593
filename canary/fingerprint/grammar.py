"""Grammars of equivalent spellings: data in config/grammars, read into the table a kernel walks along."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from canary.errors import UsageError
from canary.fingerprint.prf import Bytes

CLASSES: Final = {"start": 1, "end": 1, "digit": 2, "letter": 4, "blank": 8, "mark": 16, "han": 32}
ANYWHERE: Final = 63
_KEYS: Final = frozenset(
    ("name", "forms", "groups", "stems", "endings", "erased", "before", "after", "follow", "runs_before",
     "runs_after", "least")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Axis:
    """One choice between spellings: groups of q equivalent forms each, and the places where they may stand.

    `erased` are forms that ordinary clean-up makes: written like the others, never read as a symbol. `least`
    is how many places a cell must have.
    """

    name: str
    groups: tuple[tuple[str, ...], ...]
    erased: frozenset[int] = frozenset()
    before: int = ANYWHERE
    after: int = ANYWHERE
    follow: tuple[str, ...] = ()
    runs_before: int = 0
    runs_after: int = 0
    least: int = 1

    @property
    def q(self) -> int:
        """The number of forms."""
        return len(self.groups[0])


@dataclass(frozen=True)
class Grammar:
    """A grammar and its walk: `step[node, byte]` is the next node or −1, `pattern[node]` what ends there or −1.

    `rules[pattern]` holds axis, group, form, before, after, the node where what must follow begins (or −1), and
    the allowed runs of digits before and after (bit sets, 0: any); `texts` and `ends` the patterns' bytes.
    """

    name: str
    canonical: str
    axes: tuple[Axis, ...]
    step: NDArray[np.int16]
    pattern: NDArray[np.int16]
    rules: NDArray[np.int64]
    texts: Bytes
    ends: NDArray[np.int64]
    number: NDArray[np.int64]  # [axis, group, form] → pattern


def grammar_names() -> list[str]:
    """Give the names of all grammars in config/grammars."""
    folder = resources.files("canary").joinpath("config", "grammars")
    return sorted(one.name.removesuffix(".toml") for one in folder.iterdir() if one.name.endswith(".toml"))


@lru_cache(maxsize=64)
def load_grammar(name: str) -> Grammar:
    """Load a grammar by its name; UsageError lists the known ones."""
    if name not in grammar_names():
        raise UsageError(f"unknown grammar {name!r}", "known grammars: " + ", ".join(grammar_names()))
    place = resources.files("canary").joinpath("config", "grammars", f"{name}.toml")
    return read_grammar(name, place.read_text("utf-8"))


def read_grammar(name: str, text: str) -> Grammar:
    """Read a grammar from TOML; UsageError where it is not one."""
    try:
        document = tomllib.loads(text)
        axes = tuple(_axis(one) for one in document["axes"])
        return _compiled(name, str(document["canonical"]), axes)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise UsageError(
            f"grammar {name!r} cannot be read: {error}", "compare with config/grammars/cn_address.toml"
        ) from None


def _axis(found: Mapping[str, Any]) -> Axis:
    unknown = set(found) - _KEYS
    if unknown:
        raise KeyError(f"unknown key {min(unknown)}")
    if "stems" in found:
        groups = [[stem + ending for ending in found["endings"]] for stem in _words(found["stems"])]
    else:
        groups = found["groups"] if "groups" in found else [found["forms"]]
    if len({len(group) for group in groups}) != 1 or len(groups[0]) < 2:
        raise KeyError(f"the groups of axis {found['name']} differ in length")
    return Axis(
        name=found["name"],
        groups=tuple(tuple(group) for group in groups),
        erased=frozenset(found.get("erased", ())),
        before=_mask(found.get("before")),
        after=_mask(found.get("after")) if "after" in found or "follow" not in found else 0,
        follow=tuple(_words(found.get("follow", ()))),
        runs_before=sum(1 << run for run in found.get("runs_before", ())),
        runs_after=sum(1 << run for run in found.get("runs_after", ())),
        least=int(found.get("least", 1)),
    )


def _words(given: str | Sequence[str]) -> list[str]:
    """Read a list of words, or one text of words; a leading | keeps blanks that begin a word."""
    return given.split() if isinstance(given, str) else [word.removeprefix("|") for word in given]


def _mask(names: Iterable[str] | None) -> int:
    return ANYWHERE if names is None else sum(CLASSES[name] for name in set(names))


def lowered(text: str) -> bytes:
    """Give the bytes a kernel compares: A–Z as a–z."""
    return re.sub("[A-Z]+", lambda found: found[0].lower(), text).encode()


def _compiled(name: str, canonical: str, axes: tuple[Axis, ...]) -> Grammar:
    tree, roots = _Tree(), []
    for axis in axes:
        roots.append(-1 if not axis.follow else tree.root())
        for word in axis.follow:
            tree.insert(lowered(word), 0, roots[-1])
    rules: list[tuple[int, ...]] = []
    texts: list[bytes] = []
    number = np.full((len(axes), max(len(a.groups) for a in axes), max(a.q for a in axes)), -1, np.int64)
    for a, axis in enumerate(axes):
        for g, group in enumerate(axis.groups):
            for f, form in enumerate(group):
                number[a, g, f] = len(rules)
                tree.insert(lowered(form), len(rules), 0)
                rules.append((a, g, f, axis.before, axis.after, roots[a], axis.runs_before, axis.runs_after))
                texts.append(form.encode())
    ends = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    step, pattern = tree.arrays()
    flat = np.frombuffer(b"".join(texts), np.uint8)
    return Grammar(name, canonical, axes, step, pattern, np.array(rules, np.int64), flat, ends, number)


class _Tree:
    """A tree of bytes in the making; node 0 is the root of all forms."""

    def __init__(self) -> None:
        self.nodes: list[dict[int, int]] = [{}]
        self.found: list[int] = [-1]

    def root(self) -> int:
        self.nodes.append({})
        self.found.append(-1)
        return len(self.nodes) - 1

    def insert(self, word: bytes, value: int, root: int) -> None:
        node = root
        for byte in word:
            if byte not in self.nodes[node]:
                self.nodes[node][byte] = self.root()
            node = self.nodes[node][byte]
        if root == 0 and (self.found[node] >= 0 or node == 0):
            raise KeyError(f"the form {word.decode()!r} stands twice or is empty")
        self.found[node] = value

    def arrays(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        step = np.full((len(self.nodes), 256), -1, np.int16)
        for node, edges in enumerate(self.nodes):
            for byte, target in edges.items():
                step[node, byte] = target
        return step, np.array(self.found, np.int16)
