"""What the marks in a leak's tables say of every recipient: read under every plan that fits, averaged, never chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary.model.data import Policy
from canary.steps.held import Exports, Recognition, by_recipient, exports
from canary.steps.marking import SUBKEY
from canary.steps.tools import Tools
from canary.store import datasets, marks, recipients
from canary.trace.case import MarkScore, MarkSets
from canary.uncollected import uncollected

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from canary.fingerprint.decode import Observations
    from canary.fingerprint.plan import MarkPlan
    from canary.fingerprint.prf import DatasetKeys
    from canary.fingerprint.score import Scores
    from canary.steps.leaktables import Columns, LeakTable

    Floats = npt.NDArray[np.float64]

MOST_SCHEMES = 64  # plans under which one leak is read
MOST_OBSERVATIONS = 40_000  # the first so many in keyed order; a leak that holds more says no more


@dataclass(frozen=True)
class Channel:
    """What one kind of mark in one column says of a recipient."""

    column: str
    part: str
    read: int
    agreeing: int


@dataclass(frozen=True)
class MarksFound:
    """What the marks say: a score for every recipient, the best ones' sets, rows, plans that fitted."""

    scores: Mapping[str, MarkScore] = field(default_factory=dict)
    sets: MarkSets | None = None
    rows: int = 0
    recognised: int | None = None
    held: Mapping[str, int] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    channels: Mapping[str, tuple[Channel, ...]] = field(default_factory=dict)


NO_MARKS = MarksFound()


@dataclass(frozen=True)
class Plan:
    """A plan of the registry, ready to read by."""

    version: str
    plan: MarkPlan
    keys: DatasetKeys
    exports: Exports = field(default_factory=Exports)


@dataclass(frozen=True)
class Bar:
    """The bound's limit, and how many recipients it counts at least: they decide when scoring may rest.

    Exports made after `earliest_ms` (None: unknown) hold no row of the leak.
    """

    limit: float
    population: int = 0
    earliest_ms: int | None = None


class Reader:
    """Reads the marks of several tables of one leak under one plan, one column reading at a time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.known = Recognition(plan.exports)
        self._tables: list[list[Observations]] = []

    def begin(self, head: Columns) -> list[dict[str, str]]:
        """Give the ways to read a table by its first rows; none where no anchor fits."""
        from canary.fingerprint.matching import readings

        found = [one for one in readings(self.plan.plan, head) if self._anchors(one)]
        if found:
            self._tables.append([])
        return found

    def _anchors(self, reading: Mapping[str, str]) -> bool:
        serving = {channel.anchor for channel in self.plan.plan.channels}
        return any(all(name in reading for name in self.plan.plan.anchors[one].columns) for one in serving)

    def add(self, batch: Columns, ways: Sequence[Mapping[str, str]]) -> None:
        """Read one batch of the table that was begun last, in each of its ways."""
        from canary.fingerprint.decode import flattened, joined, read_anchored
        from canary.fingerprint.matching import renamed

        kept = self._tables[-1]
        for number, way in enumerate(ways):
            flat, anchors = flattened(self.plan.plan, self.plan.keys, renamed(batch, way))
            anchors = self.known.limited(anchors, counted=number == 0)
            read = read_anchored(self.plan.plan, self.plan.keys, flat, anchors)
            if number < len(kept):
                kept[number] = first_of(joined([kept[number], read], self.plan.keys))
            else:
                kept.append(first_of(read))

    def observations(self) -> list[Observations]:
        """Give the observations of the whole leak, one for each way to read it."""
        from canary.fingerprint.decode import joined

        tables = [ways for ways in self._tables if ways]
        most = max((len(ways) for ways in tables), default=0)
        return [
            joined([ways[number % len(ways)] for ways in tables], self.plan.keys) for number in range(most)
        ]


def first_of(read: Observations) -> Observations:
    """Keep the first observations in keyed order, whole inputs: later batches cannot change which these are."""
    most = MOST_OBSERVATIONS
    while 0 < most < len(read) and read.digest[most] == read.digest[most - 1]:
        most -= 1
    return read.chosen(slice(0, most))


def marks_of(
    tools: Tools,
    files: Sequence[Path],
    bar: Bar,
    policy: Policy | None = None,
    original: Path | None = None,
    groups: Sequence[str] = (),
) -> MarksFound:
    """Read the marks in some files, under one policy where it is given, with the original at hand where it is.

    `groups` are the group canaries that a scan has found there.
    """
    from canary.steps.leaktables import tables_in

    versions = None if policy is None else _versions(tools, policy)
    found = marks_in(tools, tables_in(files), bar, versions, groups)
    if original is None or not found.versions:
        return found
    from canary.steps.informed import with_original

    return with_original(tools, found, files, original, groups)


def _versions(tools: Tools, policy: Policy) -> list[str]:
    """Give the dataset versions made under a policy, else those of its dataset."""
    with tools.registry.read() as tx:
        known = datasets.versions(tx)
    same = [one.sha256 for one in known if one.policy == policy.text]
    return same or [one.sha256 for one in known if one.dataset == policy.dataset]


def plans_of(tools: Tools, versions: Iterable[str] | None = None) -> list[Plan]:
    """Give the plans of the registry, newest first; of some dataset versions where they are given."""
    from canary.fingerprint.plan import read_plan
    from canary.fingerprint.prf import dataset_keys

    with tools.registry.read() as tx:
        stored = marks.plans(tx)
        known = {one.version: exports(tx, tools, one.version) for one in stored}
    wanted = None if versions is None else set(versions)
    secret = tools.keys.derive(SUBKEY)
    return [
        Plan(one.version, read_plan(one.text), dataset_keys(secret, one.dataset), known[one.version])
        for one in reversed(stored)
        if wanted is None or one.version in wanted
    ]


class Known:
    """What traces look up in the registry to read marks, each thing once and when it is first asked for."""

    def __init__(self, tools: Tools, versions: Iterable[str] | None = None) -> None:
        self.tools, self._versions = tools, versions

    @cached_property
    def plans(self) -> list[Plan]:
        """The plans to read by."""
        return plans_of(self.tools, self._versions)

    @cached_property
    def keys(self) -> dict[str, bytes]:
        """Everybody's mark key."""
        with self.tools.registry.read() as tx:
            return dict(recipients.mark_keys(tx))

    @cached_property
    def exports(self) -> list[marks.HeldExport]:
        """Who got which marked export."""
        with self.tools.registry.read() as tx:
            return marks.exports(tx)


def marks_in(
    tools: Tools,
    tables: Iterable[LeakTable],
    bar: Bar,
    versions: Iterable[str] | None = None,
    groups: Sequence[str] = (),
) -> MarksFound:
    """Read the marks of a leak's tables and score everybody in the registry, ghosts included.

    `versions` restricts the plans that are tried; `groups` are the group canaries found in the leak.
    """
    return marks_by(Known(tools, versions), tables, bar, groups)


def marks_by(known: Known, tables: Iterable[LeakTable], bar: Bar, groups: Sequence[str] = ()) -> MarksFound:
    """Read the marks of a leak's tables by what is known, and score everybody."""
    if not known.plans and not groups:
        return NO_MARKS
    readers = [Reader(plan) for plan in known.plans]
    rows = 0
    for table in tables:
        rows += _read(readers, table)
        known.tools.progress("marks", rows, None)
    read = [(reader.plan, [one for one in reader.observations() if len(one)]) for reader in readers]
    fitting = [(plan, ways) for plan, ways in read if ways][:MOST_SCHEMES]
    found = replace(NO_MARKS, rows=rows, versions=tuple(plan.version for plan, _ in fitting))
    if not fitting and not groups:
        return found
    with uncollected():
        found = replace(found, **_recognised(known, readers, bar))
        ways = _with_groups(known.tools, [ways for _, ways in fitting], groups)
        return _scored(found, ways, known.keys, bar)


def _recognised(known: Known, readers: Sequence[Reader], bar: Bar) -> dict[str, Any]:
    """Give how many rows some export held, and each recipient's exports, under the plan that knows most of them."""
    telling = [reader for reader in readers if reader.known.knows and reader.known.rows]
    if not telling:
        return {}
    best = max(telling, key=lambda reader: reader.known.count())
    held = by_recipient(best.known, known.exports, best.plan.version, bar.earliest_ms)
    return {"recognised": best.known.count(), "held": held}


def _with_groups(
    tools: Tools, read: Sequence[Sequence[Observations]], groups: Sequence[str]
) -> list[list[Observations]]:
    """Put what group canaries say into every reading of every plan; alone where no plan fits."""
    from canary.fingerprint.groups import beside, observed

    present = observed(tools.keys.derive(SUBKEY), groups)
    return [[beside(way, present) for way in ways] for ways in read] or [[present]]


def _read(readers: Sequence[Reader], table: LeakTable) -> int:
    head = table.head()
    begun = [(reader, ways) for reader in readers if (ways := reader.begin(head))]
    if not begun:
        return 0
    rows = 0
    for batch in table.batches():
        for reader, ways in begun:
            reader.add(batch, ways)
        rows += len(next(iter(batch.values()), ()))
    return rows


def _scored(
    found: MarksFound, read: Sequence[Sequence[Observations]], keys: Mapping[str, bytes], bar: Bar
) -> MarksFound:
    """Average over plans, and over the ways to read under each; the details told are those of the telling one."""
    from canary.fingerprint.matching import averaged
    from canary.fingerprint.score import score

    values, population = list(keys.values()), max(bar.population, len(keys))
    made = [[score(one, values, bar.limit, population) for one in ways] for ways in read]
    log2_m = averaged([averaged([one.log2_m for one in ways]) for ways in made])
    every = [(one, len(made) * len(ways)) for ways in made for one in ways]
    best = max(every, key=lambda pair: float(pair[0].log2_m.max()))
    names = list(keys)
    told = zip(names, log2_m.tolist(), best[0].read.tolist(), best[0].agreeing.tolist(), strict=True)
    scores = {
        name: MarkScore(value, asked, agreed, found.held.get(name)) for name, value, asked, agreed in told
    }
    channels = {
        names[at]: tuple(Channel(one.column, one.part, one.read, one.agreeing) for one in told)
        for at, told in best[0].explained.items()
    }
    sets = _sets(best[0], names, log2(best[1]))
    return replace(found, scores=scores, sets=sets, channels=channels)


def _sets(best: Scores, names: Sequence[str], shared: float) -> MarkSets | None:
    """Give the joint ratios of the best recipients, less what averaging over plans and ways takes."""
    found = best.sets
    if found is None:
        return None
    ratio = found.log2_ratio - shared
    ratio[0] = 0.0
    return MarkSets(tuple(names[one] for one in found.members), ratio, found.explained)
