"""Drawing canaries for a live table: learn it in one reading, then draft rows that fit it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from canary.fields.guess import guess_roles
from canary.fields.roles import PERSONAL, form_of
from canary.generators.host import HostLearner
from canary.generators.persona import Personas
from canary.model.canary import Canary, CanaryField
from canary.steps import datasets
from canary.steps.contacts import rested_ms
from canary.steps.datasets import Chosen
from canary.steps.drawing import Drafter
from canary.steps.generate import today
from canary.steps.live_model import LiveTable, Row
from canary.steps.live_rows import LiveRows
from canary.steps.livedb import LiveDb
from canary.steps.nature import kind_of, locale_of
from canary.steps.planned import Planned
from canary.steps.releasing import GHOST_CANARIES, has_ghosts
from canary.steps.seed_adjust import Adjuster, roles_for
from canary.steps.seed_model import SeedRequest
from canary.steps.seed_place import enough, fresh_canary
from canary.steps.seed_tail import Tail, tail_of
from canary.steps.tools import Tools
from canary.store import contacts, lookups

if TYPE_CHECKING:
    from canary.files import RowBatch
    from canary.generators.drafts import Draft
    from canary.generators.profile import HostProfile
    from canary.store.registry import Registry

HEAD: Final = 2_000  # first rows, by which roles are guessed
TAIL: Final = 500  # last rows, by which appended ones go on
SPARE: Final = 1.3  # places and phones beyond the count: some drafts do not fit


@dataclass
class Drawer:
    """Draws canaries for one learned table, as often as some do not fit."""

    table: LiveTable
    chosen: Chosen
    sample: Sequence[Row]
    rng: random.Random
    warnings: tuple[str, ...]
    new_dataset: bool
    personal: frozenset[str]  # columns that name or reach a person: their cells are the generators' alone

    def room(self, count: int) -> int:
        """Give how many can be planted: none in an empty table, which teaches nothing."""
        return count if self.sample else 0

    def draw(self, count: int, rows: LiveRows) -> Sequence[Canary]:
        """Draw canaries whose rows hold every cell that an insert writes."""
        raise AssertionError(count, rows)

    def ghosts(self, rows: LiveRows) -> Planned:
        """Draw control canaries for the ghosts of a dataset that is new, nothing for one that has them."""
        wanted = bool(self.sample) and self.new_dataset
        canaries = tuple(self.draw(GHOST_CANARIES, rows)) if wanted else ()
        return Planned(canaries, tuple(range(len(canaries))), len(self.sample))


@dataclass
class HostDrawer(Drawer):
    """Draws canaries as the generators fit them to what was learned of the table."""

    drafter: Drafter
    adjuster: Adjuster
    tail: Tail | None
    end: Tail | None  # how the last rows go on, whether rows are appended or find places between others
    kind: str
    now: datetime
    registry: Registry
    known: set[bytes] = field(default_factory=set)
    stock: list[Draft] = field(default_factory=list)

    def prepare(self, count: int) -> None:
        """Draft what will probably be wanted, so that no lock is held while it is drawn."""
        if self.sample:
            wanted = enough(count) + (GHOST_CANARIES if self.new_dataset else 0)
            self.stock = self.drafter.drafts(0, of=1, count=wanted)
            self.rng.shuffle(self.stock)

    def _drafts(self, count: int) -> list[Draft]:
        ready, self.stock = self.stock[:count], self.stock[count:]
        more = count - len(ready)
        return [*ready, *(self.drafter.drafts(0, of=1, count=more) if more else ())]

    def _unissued(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Leave out drafts with a value that must be unique and was issued or drawn before."""
        with self.registry.read() as tx:
            digests = [[tx.keys.digest(*each) for each in _unique(draft)] for draft in drafts]
            self.known |= lookups.unique_by_digest(tx, [digest for some in digests for digest in some]).keys()
        kept: list[Draft] = []
        for draft, own in zip(drafts, digests, strict=True):
            if self.known.isdisjoint(own):
                kept.append(draft)
                self.known.update(own)
        return kept

    def draw(self, count: int, rows: LiveRows) -> Sequence[Canary]:
        """Draw canaries, without those that have an identifying value of a real row or of another canary."""
        return self._canaries(self._drafts(count), rows)

    def append(self, count: int, rows: LiveRows) -> Sequence[Canary]:
        """Draw canaries that stand after the last row."""
        return self._canaries(self.drafter.after_the_last(count), rows)

    def _canaries(self, drawn: list[Draft], rows: LiveRows) -> Sequence[Canary]:
        drafts = self._unissued(drawn)
        real = _real(rows, drafts)
        apart = [
            each
            for each in drafts
            if not any(_cell(each, one) in real for one in each.fields if not one.shared)
        ]
        adjusted = [self.adjuster.adjusted(each.row, _columns(each)) for each in apart]
        if self.tail is not None:
            adjusted = self.tail.continued(adjusted, self.rng, self.now)
        return [
            fresh_canary(_true(each.fields, row), row, self.kind)
            for each, row in zip(apart, adjusted, strict=True)
        ]


def _unique(draft: Draft) -> list[tuple[str, str]]:
    """List form and canonical value of the fields that may stand in one canary alone."""
    return [
        (form, each.canonical)
        for each in draft.fields
        if not each.shared and each.canonical and (form := form_of(each.role)) is not None
    ]


def _columns(draft: Draft) -> frozenset[str]:
    return frozenset(each.column for each in draft.fields)


def _cell(draft: Draft, field: CanaryField) -> tuple[str, str | None]:
    return field.column, draft.row[field.column]


def _real(rows: LiveRows, drafts: Sequence[Draft]) -> set[tuple[str, str | None]]:
    """Give those (column, cell) of drafts' identifying fields that the table holds already."""
    wanted: dict[str, set[str]] = {}
    for draft in drafts:
        for each in draft.fields:
            wanted.setdefault(each.column, set()).add(str(draft.row[each.column]))
    return {
        (column, cells[0])
        for column, texts in wanted.items()
        for cells in rows.existing((column,), {(text,) for text in texts})
    }


def _true(fields: Sequence[CanaryField], row: Row) -> tuple[CanaryField, ...]:
    """Keep the identifying fields that an adjusted row still says."""
    return tuple(each for each in fields if row.get(each.column))


@dataclass
class Ends:
    """The first and the last rows of a table."""

    first: list[Row] = field(default_factory=list)
    last: deque[Row] = field(default_factory=lambda: deque(maxlen=TAIL))

    def feed(self, batch: RowBatch) -> None:
        """Take what belongs to the ends of the table."""
        if len(self.first) < HEAD:
            self.first += batch.rows.slice(0, HEAD - len(self.first)).to_pylist()
        self.last.extend(batch.rows.slice(max(0, batch.rows.num_rows - TAIL)).to_pylist())


def learn(tools: Tools, db: LiveDb, request: SeedRequest, phones: int | None = None) -> HostDrawer:
    """Read a table once, by a server-side cursor in the order of its key, and learn what canaries are to be like.

    `phones` is for how many canaries phones are taken from the pool (None: for the count asked for).
    """
    rng = tools.new_rng()
    with db.reading(request.table) as connection:
        table = db.reflect(connection, request.table)
        with tools.registry.read() as tx:
            chosen = datasets.choose(
                tx, table.headings, request.policy, request.dataset, table.name, tools.clock.now_ms()
            )
            new_dataset = not has_ghosts(tx, chosen.version.dataset)
        rows = LiveRows(connection, db.tongue, table)
        profile, ends = _read(tools, rows, chosen, request, rng)
    now = datetime.fromtimestamp(tools.clock.now_ms() / 1000, UTC)
    wanted = request if phones is None else replace(request, count=phones)
    personas, warnings = _personas(tools, profile, wanted, rng)
    ranges = chosen.policy.ranges if chosen.policy else {}
    appended = any(table.column(name).given for name in table.key)
    if not profile.rows:
        warnings.append(f"{table.label} is empty: there is nothing to learn from, and no canary was planted")
    end = tail_of(table, list(ends.last))
    drawer = HostDrawer(
        new_dataset=new_dataset, personal=_personal(profile.roles),
        table=table, chosen=chosen, sample=profile.sample, rng=rng,
        warnings=(*warnings, *_notes(table, profile, appended=appended)),
        drafter=Drafter(profile, personas, rng, ranges, set()),
        adjuster=Adjuster(table, profile.sample, rng),
        tail=end if appended else None, end=end, kind=kind_of(profile.roles), now=now,
        registry=tools.registry,
    )  # fmt: skip
    drawer.prepare(request.count)
    return drawer


def _read(
    tools: Tools, rows: LiveRows, chosen: Chosen, request: SeedRequest, rng: random.Random
) -> tuple[HostProfile, Ends]:
    headings = rows.table.fillable
    ends = Ends()
    learner: HostLearner | None = None
    for batch in rows.batches(headings):
        ends.feed(batch)
        learner = learner or _learner(rows.table, chosen, request, rng, ends.first)
        learner.feed(batch)
        tools.progress("reading", learner.rows, None)
    return (learner or _learner(rows.table, chosen, request, rng, ())).finish(), ends


def _learner(
    table: LiveTable, chosen: Chosen, request: SeedRequest, rng: random.Random, first: Sequence[Row]
) -> HostLearner:
    headings = table.fillable
    guessed = guess_roles(headings, {name: [row[name] for row in first] for name in headings})
    wanted = float(round(request.count * SPARE) + GHOST_CANARIES)
    ranges = chosen.policy.ranges if chosen.policy else {}
    native = {name: table.column(name).kind for name in headings}
    return HostLearner(
        headings, roles_for(table, guessed, chosen.policy), rng, wanted, ranges=ranges, native=native
    )


def _personal(roles: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, role in roles.items() if role in PERSONAL)


def _notes(table: LiveTable, profile: HostProfile, *, appended: bool) -> Sequence[str]:
    """Say what a person should know of the places, of which an appended row has none to choose."""
    if appended and profile.rows:
        names = ", ".join(table.key)
        return (f"the database counts {names} itself: the canaries stand together after its last number",)
    return profile.notes


def _personas(
    tools: Tools, profile: HostProfile, request: SeedRequest, rng: random.Random
) -> tuple[Personas, list[str]]:
    """Take phones of the pool and make personas; in a dry run the use of phones is not noted."""
    roles = list(profile.roles.values())
    wanted = round((request.count * SPARE + GHOST_CANARIES) * roles.count("phone")) if profile.rows else 0
    with tools.registry.read() if request.dry_run else tools.registry.begin() as tx:
        domains = contacts.domains(tx)
        pool = contacts.pool(tx, rested_ms(tools))
        phones = contacts.take_phones(tx, wanted, rng, rested_ms(tools)) if wanted else []
    warnings = []
    if wanted and not pool.live:
        warnings.append("no phone that reaches us is free: the canaries' phones are inert and can never ring")
    if "email" in roles and profile.rows and not domains:
        warnings.append(
            "no mail domain of ours: the canaries have no alias (canary contact add email-domain DOMAIN)"
        )
    locale = locale_of(profile.headings, profile.sample)
    return Personas(
        locale, rng, domains, phones, today=today(tools), pool=(pool.live or pool.inert) or None
    ), warnings
