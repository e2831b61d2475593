"""Drawing canaries for a table: learn it in one reading, draft rows that fit it, drop what is a real one's."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from canary.errors import OutsideError, SafetyError
from canary.fields.guess import guess_roles
from canary.fields.roles import form_of
from canary.generators.drafts import Draft
from canary.generators.fit import canaries_for
from canary.generators.host import HostLearner
from canary.generators.persona import Personas
from canary.generators.profile import HostProfile, Places, canary_count
from canary.model.canary import Canary
from canary.steps import derived, groups, retained
from canary.steps.contacts import rested_ms
from canary.steps.generate import today
from canary.steps.identifying import Identifying
from canary.steps.nature import kind_of, locale_of
from canary.steps.newrows import MORE_PLACES, NewRows
from canary.steps.planned import NOTHING, Planned
from canary.steps.staying import Staying
from canary.store import contacts as store
from canary.store import lookups
from canary.store.ids import new_id

if TYPE_CHECKING:
    from canary.files import RowBatch, Table
    from canary.steps.copies import Source
    from canary.steps.datasets import Chosen
    from canary.steps.tools import Tools

ROLE_ROWS = 200  # rows by which the role of a column is judged
SHOWN = "some new canaries stand among rows of an earlier export: who compares the two finds them"
ROUNDS = 20  # readings until no draft coincides with a real row or an issued canary


@dataclass(frozen=True)
class Drawing:
    """What was drawn: a plan for each recipient, control canaries for ghosts, and what a person should know."""

    plans: tuple[Planned, ...] = ()
    ghosts: Planned = NOTHING
    pool: tuple[Canary, ...] = ()
    carried: derived.Carried = derived.NOTHING
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contacts:
    """What canaries reach us by: mail domains, phones in the order they are to be used, and the pool's size."""

    domains: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    pool: int | None = None
    warnings: tuple[str, ...] = ()


def draw(
    tools: Tools,
    source: Source,
    chosen: Chosen,
    canaries: float,
    recipients: Sequence[str],
    ghosts: int,
    *,
    require_contacts: bool = False,
    dry_run: bool = False,
    also: Callable[[RowBatch], None] | None = None,
    fresh: NewRows | None = None,
) -> Drawing:
    """Draw the canaries of several copies of one source, and those of the dataset's ghosts.

    `also` is handed every batch of the one reading that this takes; new canaries stand beside `fresh` rows first.
    """
    if not recipients:
        return Drawing()
    if not (canaries or ghosts or groups.wanted(chosen)):
        return _bare(tools, source, chosen, recipients, also)
    rng = tools.new_rng()
    readers = [one for one in (also, fresh and fresh.feed) if one]
    copies = (len(recipients) + groups.copies(chosen)) * (MORE_PLACES if fresh else 1)
    with tools.registry.read() as tx:
        before = retained.earlier(tx, recipients, chosen.version.dataset)
    ordered = bool(before) or groups.wanted(chosen)
    profile, carried, identifying = _learned(
        tools, source, chosen, canaries, copies, rng, readers, texts=ordered
    )
    profile = fresh.first(profile) if fresh else profile
    keys = retained.key_column(identifying.batches(), profile.roles) if ordered else None
    stay = Staying.of(
        tools, chosen, profile, keys, _uncarried(before, carried), canary_count(canaries, profile.rows),
        recipients, room=fresh is None or fresh.count() > 0, but=carried.positions,
    )  # fmt: skip
    shares = [*map(stay.missing, recipients), ghosts if profile.rows else 0, len(stay.pool.fresh)]
    contacts = take_contacts(
        tools, profile.roles, sum(shares), rng, require_contacts=require_contacts, dry_run=dry_run
    )
    drafts = _drafted(tools, chosen, profile, identifying, contacts, shares, rng)
    kind = kind_of(profile.roles)
    *plans, controls, shared = (_planned(each, chosen.version.dataset, kind, profile.rows) for each in drafts)
    shared = groups.drawn(stay.pool, shared)
    own = tuple(stay.joined(plan, shared, one) for plan, one in zip(plans, recipients, strict=True))
    notes = [draft.note for each in drafts for draft in each if draft.note]
    if fresh and not fresh.beside([draft.position for each in drafts[:-2] for draft in each]).all():
        notes.append(SHOWN)
    warnings = tuple(dict.fromkeys([*contacts.warnings, *profile.notes, *notes]))
    return Drawing(own, controls, shared.canaries, carried, warnings)


def _drafted(
    tools: Tools,
    chosen: Chosen,
    profile: HostProfile,
    identifying: Identifying,
    contacts: Contacts,
    shares: Sequence[int],
    rng: random.Random,
) -> list[list[Draft]]:
    """Draft so many canaries of each share; none has an identifying value of a real row or of another canary."""
    personas = Personas(
        locale_of(profile.headings, profile.sample), rng, contacts.domains, contacts.phones,
        today=today(tools), pool=contacts.pool,
    )  # fmt: skip
    drafter = Drafter(profile, personas, rng, chosen.policy.ranges if chosen.policy else {}, set())
    drafts = [drafter.drafts(number, of=len(shares), count=share) for number, share in enumerate(shares)]
    _replace_unfit(tools, identifying, drafter, drafts)
    return drafts


def _bare(
    tools: Tools,
    source: Source,
    chosen: Chosen,
    recipients: Sequence[str],
    also: Callable[[RowBatch], None] | None,
) -> Drawing:
    """Read a source that gets no canaries of its own: nothing of it has to be learnt but what it carries."""
    finder, rows = derived.Finder(tools, roles_of(source.table, chosen)), 0
    for batch in source.table.batches():
        finder.feed(batch)
        if also is not None:
            also(batch)
        rows = int(batch.numbers()[-1]) + 1
        tools.progress("reading", rows, None)
    return Drawing(tuple(Planned(rows_in=rows) for _ in recipients), carried=finder.finish())


def _uncarried(before: Mapping[str, list[Canary]], carried: derived.Carried) -> dict[str, list[Canary]]:
    """Leave out the canaries of earlier releases that the table holds already."""
    return {
        name: [one for one in canaries if one.id not in carried.positions]
        for name, canaries in before.items()
    }


def roles_of(table: Table, chosen: Chosen) -> dict[str, str]:
    """Give each column its role: the policy's where it names one, else a guess from headings and values."""
    rows = table.head()
    rows = rows[:: max(1, len(rows) // ROLE_ROWS)]
    sample = {name: [row[at] for row in rows] for at, name in enumerate(table.headings)}
    named = {name: column.role for name, column in chosen.policy.columns.items()} if chosen.policy else {}
    return {**guess_roles(table.headings, sample), **named}


def _learned(
    tools: Tools,
    source: Source,
    chosen: Chosen,
    canaries: float,
    copies: int,
    rng: random.Random,
    also: Sequence[Callable[[RowBatch], None]],
    texts: bool,
) -> tuple[HostProfile, derived.Carried, Identifying]:
    ranges, roles = chosen.policy.ranges if chosen.policy else {}, roles_of(source.table, chosen)
    learner = HostLearner(
        source.headings, roles, rng, canaries, copies=copies + 1, ranges=ranges, native=source.table.native
    )
    finder = derived.Finder(tools, roles)
    identifying = Identifying(source.table, roles, finder, texts)
    for batch in source.table.batches():
        learner.feed(batch)
        keys = finder.keys_of(batch)
        finder.feed(batch, keys)
        identifying.keep(batch, keys)
        for reader in also:
            reader(batch)
        tools.progress("reading", learner.rows, None)
    return learner.finish(), finder.finish(), identifying


def take_contacts(
    tools: Tools,
    roles: Mapping[str, str],
    canaries: int,
    rng: random.Random,
    *,
    require_contacts: bool,
    dry_run: bool,
) -> Contacts:
    """Take phones for so many canaries and the mail domains; a dry run notes no use of a phone."""
    columns = list(roles.values())
    phones: list[str] = []
    with (tools.registry.read if dry_run else tools.registry.begin)() as tx:
        domains = store.domains(tx)
        pool = store.pool(tx, rested_ms(tools))
        if canaries and "phone" in columns:
            phones = store.take_phones(tx, canaries * columns.count("phone"), rng, rested_ms(tools))
    warnings = []
    if canaries and "phone" in columns and not pool.live:
        if require_contacts:
            raise SafetyError("no phone of ours is free", "add one with: canary contact add phone NUMBER")
        warnings.append("no phone that reaches us is free: the canaries' phones are inert and can never ring")
    if canaries and "email" in columns and not domains:
        warnings.append(
            "no mail domain of ours: the canaries have no alias (canary contact add email-domain DOMAIN)"
        )
    return Contacts(tuple(domains), tuple(phones), pool.live or pool.inert or None, tuple(warnings))


@dataclass(frozen=True)
class Drafter:
    """Drafts rows for one learned table; numbers that were given out are never given again."""

    profile: HostProfile
    personas: Personas
    rng: random.Random
    ranges: Mapping[str, tuple[int, int]]
    taken: set[str]

    def drafts(self, number: int, *, of: int, count: int) -> list[Draft]:
        """Draft some rows at the `number`-th of `of` shares of the places."""
        return self._at(self.profile.places.share(number, of), count)

    def after_the_last(self, count: int) -> list[Draft]:
        """Draft some rows that stand after the last one."""
        return self._at(self.profile.places.part(0, 0), count)

    def _at(self, places: Places, count: int) -> list[Draft]:
        return canaries_for(
            self.profile, places, count, self.personas, self.rng, ranges=self.ranges, taken=self.taken
        )


def _replace_unfit(
    tools: Tools, identifying: Identifying, drafter: Drafter, drafts: list[list[Draft]]
) -> None:
    """Draw again, in place, what has an identifying value of a real row or of an issued canary, until nothing has."""
    pending = [(share, at) for share, each in enumerate(drafts) for at in range(len(each))]
    values = Values(tools)
    for _ in range(ROUNDS):
        fresh = [drafts[share][at] for share, at in pending]
        bad = values.taken(dict(zip(pending, fresh, strict=True)))
        bad |= {pending[index] for index in identifying.clashes(fresh)}
        if not bad:
            return
        pending = sorted(bad)
        for share, group in groupby(pending, key=itemgetter(0)):
            places = [at for _, at in group]
            drawn = drafter.drafts(share, of=len(drafts), count=len(places))
            for at, draft in zip(places, drawn, strict=True):
                drafts[share][at] = draft
    raise OutsideError(
        "no values apart from real rows and issued canaries were found",
        "reserve a range of numbers in the policy, or ask for fewer canaries",
    )


Seat = tuple[int, int]  # the share of a draft, and its place in it


class Values:
    """The values of the drafts of one drawing that are each unique to a canary, as digests."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._owners: dict[bytes, Seat] = {}
        self._own: dict[Seat, list[bytes]] = {}

    def taken(self, drafts: Mapping[Seat, Draft]) -> set[Seat]:
        """Take in drafts, in place of those that sat there; gives those with a value of an issued or another one."""
        for seat in drafts:
            for digest in self._own.pop(seat, ()):
                if self._owners.get(digest) == seat:
                    del self._owners[digest]
        repeated = set()
        for seat, draft in drafts.items():
            self._own[seat] = self._digests(draft)
            for digest in self._own[seat]:
                if digest in self._owners:
                    repeated.add(seat)
                self._owners.setdefault(digest, seat)
        wanted = [digest for seat in drafts for digest in self._own[seat]]
        with self._tools.registry.read() as tx:
            return repeated.union(self._owners[digest] for digest in lookups.unique_by_digest(tx, wanted))

    def _digests(self, draft: Draft) -> list[bytes]:
        keys, fields = self._tools.keys, [each for each in draft.fields if not each.shared]
        forms = [(form_of(each.role), each) for each in fields]
        return [keys.digest(form, each.canonical) for form, each in forms if form is not None]


def _planned(drafts: Sequence[Draft], dataset: str, kind: str, rows: int) -> Planned:
    canaries = tuple(
        Canary(id=new_id("c-"), recipient="", dataset=dataset, kind=kind, fields=draft.fields, row=draft.row)
        for draft in drafts
    )
    return Planned(canaries, tuple(draft.position for draft in drafts), rows)
