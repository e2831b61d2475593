"""Marks on their way into copies: the plan of a dataset version, and each recipient's cells batch by batch.

The plan is made once, from the policy and the first reading of the first copy's input, and kept: whoever traces later
reads under the same one. Nothing of a recipient but its key enters a copy's cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

from canary.fields.canonical import canonical
from canary.files import CellEdits, RowEdits
from canary.model.canary import Canary, CanaryField
from canary.model.data import Policy
from canary.steps.held import Recorder
from canary.steps.tools import Tools
from canary.store import marks
from canary.store.tx import Tx

if TYPE_CHECKING:
    from canary.files import RowBatch, Table
    from canary.fingerprint.embed import ColumnReport, Marked, Prepared
    from canary.fingerprint.learn import Seen
    from canary.fingerprint.plan import MarkPlan

SUBKEY = "marks"  # the sub-key of the home from which datasets' keys are derived
UNPLANTED = ("surrogate", "category", "invisible")  # kinds that a canary's own cells are not given


@dataclass(frozen=True)
class Scheme:
    """How one dataset version is marked; `stored` tells whether the plan is in the registry already."""

    plan: MarkPlan
    version: str
    secret: bytes = field(repr=False)
    stored: bool = False

    def seen(self) -> Seen:
        """Give an empty first pass."""
        from canary.fingerprint.learn import Seen
        from canary.fingerprint.prf import dataset_keys

        return Seen(self.plan, dataset_keys(self.secret, self.plan.dataset))


@dataclass(frozen=True)
class Unplanned:
    """A dataset version that has no plan yet: its first reading makes it."""

    policy: Policy
    version: str
    secret: bytes = field(repr=False)


class Counting:
    """The first reading of an input whose plan is known."""

    def __init__(self, scheme: Scheme) -> None:
        self._scheme, self._seen, self.columns = scheme, scheme.seen(), scheme.plan.sources

    def feed(self, batch: RowBatch) -> None:
        """Look at one batch."""
        self._seen.add(columns_of(batch, self.columns))

    def finish(self, _: Table) -> tuple[Scheme, Seen] | None:
        """Give the scheme, and what was counted under it."""
        return self._scheme, self._seen


class Planning:
    """The first reading of an input that the plan of its version is made from."""

    def __init__(self, unplanned: Unplanned, table: Table) -> None:
        from canary.fingerprint.learn import Learning

        self._unplanned, self._learning = unplanned, Learning(unplanned.policy, unplanned.secret)
        self.columns = tuple(name for name in table.headings if is_looked_at(unplanned.policy, name))

    def feed(self, batch: RowBatch) -> None:
        """Look at one batch."""
        self._learning.add(columns_of(batch, self.columns))

    def finish(self, table: Table) -> tuple[Scheme, Seen] | None:
        """Give the scheme that was made, and what was counted; None where nothing can be marked."""
        plan = self._learning.plan()
        if not plan.channels:
            return None
        seen = self._learning.seen(plan)
        if any(column.beside for column in plan.columns):  # beside what was not known before
            for batch in table.batches(plan.sources):
                seen.add_pairs(columns_of(batch, plan.sources))
        return Scheme(plan, self._unplanned.version, self._unplanned.secret), seen


def first_pass(scheme: Scheme | Unplanned, table: Table) -> Counting | Planning:
    """Give what is asked of the first reading of an input."""
    return Counting(scheme) if isinstance(scheme, Scheme) else Planning(scheme, table)


def scheme_of(tx: Tx, tools: Tools, version: str, policy: Policy, dataset: str) -> Scheme | Unplanned:
    """Give the scheme of a dataset version as it was kept, or what makes one."""
    from canary.fingerprint.plan import read_plan

    secret = tools.keys.derive(SUBKEY)
    known = marks.plan_of(tx, version)
    if known is not None:
        return Scheme(read_plan(known), version, secret, stored=True)
    return Unplanned(replace(policy, dataset=dataset), version, secret)


def is_looked_at(policy: Policy, heading: str) -> bool:
    """Tell whether a policy marks a column or recognises rows by it; beside categories every column is looked at."""
    if any(one.mark == "category" for one in policy.columns.values()):
        return True
    column = policy.columns.get(heading)
    return (column is not None and column.mark is not None) or any(heading in one for one in policy.anchors)


def keep(tx: Tx, scheme: Scheme) -> None:
    """Keep the plan of a version with its first copy, in that copy's transaction."""
    from canary.fingerprint.plan import write_plan

    if not scheme.stored:
        marks.put_plan(tx, scheme.version, write_plan(scheme.plan))


class CopyMarks:
    """The marks of several copies of one table, made while it is read a second time."""

    def __init__(self, seen: Seen, keys: Sequence[bytes], recorder: Recorder | None = None) -> None:
        self._seen, self._keys, self.recorder = seen, list(keys), recorder
        self.cells = [0] * len(self._keys)
        self._rows, self._told = 0, Counter[int]()
        self._reports: list[tuple[ColumnReport, ...]] = [() for _ in self._keys]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return self._seen.plan.sources

    def edits(self, batch: RowBatch) -> Sequence[RowEdits]:
        """Give what each copy does to a batch, made when it is asked for."""
        from canary.fingerprint.embed import prepare

        prepared = prepare(self._seen, columns_of(batch, self.columns))
        self._rows += prepared.rows
        for number, anchored in enumerate(prepared.anchors):
            if anchored is not None:
                self._told[number] += int(anchored.valid.sum())
        if self.recorder is not None:
            self.recorder.add(prepared)
        return _Edits(self, prepared)

    def edit(self, prepared: Prepared, number: int) -> RowEdits:
        """Give what one copy does to a batch, and count it."""
        from canary.fingerprint.embed import mark, merged

        marked = mark(prepared, self._keys[number])
        self.cells[number] += marked.cells
        self._reports[number] = merged([self._reports[number], marked.report])
        return RowEdits(tuple(_cell_edits(marked)), marked.keep)

    def warnings(self) -> tuple[str, ...]:
        """Tell of anchors that serve marks, by the plan, but hardly any row of this table."""
        from canary.fingerprint.learn import USEFUL

        shares = {at: told / max(1, self._rows) for at, told in sorted(self._told.items())}
        return tuple(
            f"by {' and '.join(self._seen.plan.anchors[at].columns)} only {share:.0%} of the rows can be told apart: "
            "the others lack the marks that hang on it"
            for at, share in shares.items()
            if share < USEFUL
        )

    def report(self, number: int) -> list[dict[str, Any]]:
        """Give what the marks of one copy changed, column by column."""
        return [report_row(one) for one in self._reports[number]]


def report_row(report: ColumnReport) -> dict[str, Any]:
    """Give a column's report as it is kept and told: cells, changed, largest and mean move, and their sum."""
    told = asdict(report)
    del told["moved"]
    return {**told, "mean": report.mean}


class _Edits(Sequence[RowEdits]):
    """Every copy's changes to one batch; each is made when it is asked for, so that one at a time is in memory."""

    def __init__(self, marks: CopyMarks, prepared: Prepared) -> None:
        self._marks, self._prepared = marks, prepared

    def __len__(self) -> int:
        return len(self._marks.cells)

    @overload
    def __getitem__(self, number: int) -> RowEdits: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[RowEdits]: ...
    def __getitem__(self, number: int | slice) -> RowEdits | Sequence[RowEdits]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        return self._marks.edit(self._prepared, number)


def columns_of(batch: RowBatch, names: Iterable[str]) -> dict[str, Any]:
    """Give the columns of a batch by name."""
    return {name: batch.rows.column(name) for name in names}


def _cell_edits(marked: Marked) -> Iterator[CellEdits]:
    for heading, made in marked.columns.items():
        changed = marked.changed[heading]
        if changed.any():
            yield CellEdits(heading, changed, made)


def planted(scheme: Scheme, seen: Seen, canaries: Sequence[Canary], key: bytes) -> tuple[Canary, ...]:
    """Give a recipient's canaries spelt as its real rows are: without it their spelling would set them apart."""
    from canary.fingerprint.embed import mark, prepare

    if not canaries:
        return ()
    columns = {name: [canary.row.get(name) for canary in canaries] for name in scheme.plan.headings}
    marked = mark(prepare(seen, columns), key)
    usable = [
        column.heading
        for column in scheme.plan.columns
        if column.kind not in UNPLANTED and not column.ordered and not column.keep_sum
    ]
    return tuple(
        _respelt(canary, {name: marked.columns[name][at] for name in usable if marked.changed[name][at]})
        for at, canary in enumerate(canaries)
    )


def _respelt(canary: Canary, cells: Mapping[str, str]) -> Canary:
    """Write some cells of a canary anew, but none that would change what it is recognised by."""
    fresh = dict(cells)
    for one in canary.fields:
        if one.column in fresh and canonical(one.role, _value(one, fresh[one.column])) != one.canonical:
            del fresh[one.column]
    fields = tuple(
        replace(one, value=_value(one, fresh[one.column])) if one.column in fresh else one
        for one in canary.fields
    )
    return replace(canary, fields=fields, row={**canary.row, **fresh})


def _value(one: CanaryField, cell: str) -> str:
    """Give a field's text where its column holds another cell; a name with address joins two."""
    return f"{one.value.partition('|')[0]}|{cell}" if one.role == "name_address" else cell
