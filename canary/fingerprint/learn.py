"""First pass: what a file says about its values, and the marking plan of a dataset that has none yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from canary.errors import UsageError
from canary.fingerprint import category
from canary.fingerprint.anchors import MOST_ROWS, Anchored, Counts, Tally, digest_anchor
from canary.fingerprint.columnplan import Looked, planned_columns
from canary.fingerprint.columns import Column, Flags, Texts, texts_of
from canary.fingerprint.grammar import load_grammar
from canary.fingerprint.plan import AnchorPlan, ColumnPlan, MarkPlan, Part, serve
from canary.fingerprint.prf import GRAIN, DatasetKeys, dataset_keys, siphash24
from canary.fingerprint.sampling import Sample
from canary.model.data import Policy

_PAIRS: Final = 1 << 18  # slots in which pairs of values that stand beside each other are counted
USEFUL: Final = 0.5  # share of rows an anchor has to tell, to serve marks where another one can


class Learning:
    """The first pass over a file whose dataset has no plan yet: it counts as `Seen` does, and keeps a sample of rows.

    What is judged by it is judged by the whole file: a value that is rare in its first rows may be common behind them.
    UsageError where a marked column is also an anchor whose canonical form the mark would change.
    """

    def __init__(self, policy: Policy, secret: bytes) -> None:
        self.policy, self.keys = policy, dataset_keys(secret, policy.dataset)
        self.anchors = tuple(
            AnchorPlan(columns, tuple(_role(policy, heading) for heading in columns))
            for columns in policy.anchors[:3]
        )
        _check_anchors(self.anchors, policy)
        self.counts, self.sample = Counts(), Sample()

    def add(self, columns: Mapping[str, Column]) -> None:
        """Count one batch."""
        flat = {heading: texts_of(column) for heading, column in columns.items()}
        for number, anchored in enumerate(self._digests(flat)):
            if anchored is not None:
                self.counts.add(number, anchored.digests[anchored.valid])
        for heading, column in self.policy.columns.items():
            if column.mark == "time" and heading in flat:
                self.counts.add(heading, category.digests(self.keys, flat[heading]))
        self.sample.add(flat)

    def _digests(self, flat: Mapping[str, Texts]) -> list[Anchored | None]:
        return [digest_anchor(self.keys, anchor, flat) for anchor in self.anchors]

    def plan(self) -> MarkPlan:
        """Make the plan of the dataset; frozen from then on."""
        flat = self.sample.columns()
        moments = {
            heading: self.counts.count(heading, category.digests(self.keys, flat[heading]))
            for heading, column in self.policy.columns.items()
            if column.mark == "time" and heading in flat
        }
        looked = Looked(flat, list(self.sample.spans()), self.sample.rows, moments)
        made = list(planned_columns(self.policy, looked))
        columns = tuple(column for column, _ in made)
        parts = [part for _, each in made for part in each]
        serving, policy = self._serving(flat), self.policy
        if policy.omit and serving:
            gone = max(1, min(GRAIN - 1, round(policy.omit * GRAIN)))
            parts.append(Part("", "omit", 2, (gone, GRAIN - gone)))
        channels = serve(parts, serving, self.anchors) if serving else ()
        return MarkPlan(policy.dataset, self.anchors, columns if channels else (), channels, policy.omit)

    def _serving(self, flat: Mapping[str, Texts]) -> list[int]:
        """Give the anchors that tell most rows, all of them where none does."""
        telling = []
        for number, found in enumerate(self._digests(flat)):
            if found is not None and told_apart(self.counts, number, found).valid.mean() >= USEFUL:
                telling.append(number)
        return telling or list(range(len(self.anchors)))

    def seen(self, plan: MarkPlan) -> Seen:
        """Give the finished first pass under the plan that was made; pairs of categories are not counted yet."""
        return Seen(plan, self.keys, self.counts, self.sample.rows)


def make_plan(policy: Policy, table: Mapping[str, Column], secret: bytes) -> MarkPlan:
    """Make the plan of a dataset from its policy and a whole table in memory."""
    learning = Learning(policy, secret)
    learning.add(table)
    return learning.plan()


def _role(policy: Policy, heading: str) -> str:
    found = policy.columns.get(heading)
    return found.role if found else "other"


def _check_anchors(anchors: Sequence[AnchorPlan], policy: Policy) -> None:
    for heading, column in policy.columns.items():
        safe = column.mark == "text" and load_grammar(str(column.grammar)).canonical == "address"
        safe = column.mark is None or (safe and column.role == "address")
        if not safe and any(heading in anchor.columns for anchor in anchors):
            raise UsageError(
                f"column {heading!r} is an anchor and would be changed by its mark",
                "take it out of the anchors, or take out its mark",
            )


@dataclass
class Seen:
    """What the first pass over a file counts, in a fixed amount of memory: anchor values, and moments of batches."""

    plan: MarkPlan
    keys: DatasetKeys
    counts: Counts = field(default_factory=Counts)
    rows: int = 0
    pairs: dict[str, Tally] = field(default_factory=dict)

    def add(self, columns: Mapping[str, Column]) -> None:
        """Count one batch."""
        flat = {heading: texts_of(columns[heading]) for heading in self.plan.sources if heading in columns}
        for number, anchored in enumerate(digests_of(self.plan, self.keys, flat)):
            if anchored is not None:
                self.counts.add(number, anchored.digests[anchored.valid])
        for column in self.plan.columns:
            if column.kind == "time" and column.heading in flat:
                self.counts.add(column.heading, category.digests(self.keys, flat[column.heading]))
        self.add_pairs(columns)
        self.rows += len(next(iter(flat.values()))) if flat else 0

    def add_pairs(self, columns: Mapping[str, Column]) -> None:
        """Count what stands beside the categories of one batch."""
        for column in self.plan.columns:
            names = (column.heading, *column.beside)
            if column.kind != "category" or any(name not in columns for name in names):
                continue
            tally = self.pairs.setdefault(column.heading, Tally(_PAIRS))
            mine, *others = (category.digests(self.keys, texts_of(columns[name])) for name in names)
            for number, digests in enumerate(others):
                tally.add(category.pair(mine, digests, number))

    def company(self, column: ColumnPlan, flat: Mapping[str, Texts]) -> category.Company | None:
        """Give what stands beside a column of categories in a batch, None where it is no such or not at hand."""
        if column.heading not in self.pairs or any(name not in flat for name in column.beside):
            return None
        beside = [flat[name] for name in column.beside]
        rows = len(flat[column.heading])
        return category.company(self.keys, self.pairs[column.heading], column.values, beside, rows)

    def telling(self, number: int, anchored: Anchored) -> Anchored:
        """Keep the anchor values that stand on at most three rows of the file."""
        return told_apart(self.counts, number, anchored)

    def stays(self, column: ColumnPlan, texts: Texts) -> Flags | None:
        """Tell which moments belong to a batch and stay: one row moved alone would leave it. None for no moments."""
        if column.kind != "time":
            return None
        on = self.counts.count(column.heading, siphash24(self.keys.digest, texts.data, texts.offsets))
        return np.asarray(on > (1 if column.tied else MOST_ROWS))


def told_apart(counts: Counts, number: int, anchored: Anchored) -> Anchored:
    """Keep the values of an anchor that stand on at most three rows of what was counted."""
    return anchored.chosen(counts.count(number, anchored.digests) <= MOST_ROWS)


def digests_of(plan: MarkPlan, keys: DatasetKeys, flat: Mapping[str, Texts]) -> list[Anchored | None]:
    """Give the digests of all anchors that serve a channel, None for those that cannot be made."""
    serving = {channel.anchor for channel in plan.channels}
    return [
        digest_anchor(keys, anchor, flat) if number in serving else None
        for number, anchor in enumerate(plan.anchors)
    ]
