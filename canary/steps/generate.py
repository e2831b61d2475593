"""Previews: fake records of a kind, issued to nobody and stored nowhere."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from canary.errors import SafetyError, UsageError
from canary.generators import kinds
from canary.generators.persona import Personas
from canary.steps.contacts import rested_ms
from canary.steps.tools import Tools
from canary.store import contacts

RESERVED = (".example", ".test", ".invalid", "example.com", "example.net", "example.org")  # RFC 2606


@dataclass(frozen=True)
class Preview:
    """What is to be drawn; a `seed` draws the same again, `mail_domain` is a reserved one for stage hosts."""

    kind: str
    count: int
    locale: str = "zh_CN"
    require_contacts: bool = False
    seed: int | None = None
    mail_domain: str | None = None


@dataclass(frozen=True)
class Drawn:
    """The rows of a preview, as they are drawn."""

    headings: tuple[str, ...]
    rows: Iterator[Mapping[str, str | None]]
    warnings: tuple[str, ...]


def preview(tools: Tools, wanted: Preview) -> Drawn:
    """Draw records of a kind with the contacts we own; nothing of it is issued."""
    kind = kinds.load_kind(wanted.kind)
    rng = tools.new_rng() if wanted.seed is None else random.Random(wanted.seed)  # noqa: S311 - a preview
    roles = {column.role for column in kind.columns}
    with tools.registry.read() as tx:  # noting the use of phones is rolled back: a preview uses none up
        domains = contacts.domains(tx)
        pool = contacts.pool(tx, rested_ms(tools))
        many = min(wanted.count, pool.live or pool.inert) if "phone" in roles else 0
        phones = contacts.take_phones(tx, many, rng, rested_ms(tools)) if many else []
    if wanted.mail_domain is not None:
        domains = [_reserved(wanted.mail_domain, domains)]
    warnings = _warnings(wanted, roles, domains, phones)
    personas = Personas(wanted.locale, rng, domains, phones, today=today(tools), pool=len(phones) or None)
    drawn = kinds.rows_of_kind(kind, personas, rng, wanted.count, wanted.locale)
    return Drawn(drawn.headings, drawn.rows, warnings)


def today(tools: Tools) -> date:
    """Give the day, by the clock of the home, in UTC."""
    return datetime.fromtimestamp(tools.clock.now_ms() / 1000, UTC).date()


def _reserved(domain: str, owned: Sequence[str]) -> str:
    if domain in owned or domain.endswith(RESERVED):
        return domain
    raise SafetyError(
        f"{domain} is neither ours nor reserved for examples",
        "add it as a contact, or use a name ending in .example",
    )


def _warnings(
    wanted: Preview, roles: set[str], domains: Sequence[str], phones: Sequence[str]
) -> tuple[str, ...]:
    told = []
    if "phone" in roles and not phones:
        if wanted.require_contacts:
            raise SafetyError("no phone of ours is free", "add one with: canary contact add phone NUMBER")
        told.append("no phone of ours is free: phones are inert and can never ring")
    if "email" in roles and not domains:
        told.append("no mail domain of ours: mail columns stay empty")
    return tuple(told)


def write(drawn: Drawn, output: str, *, force: bool) -> int:
    """Write a preview to a file, the format by its ending, or as CSV to standard output; gives the rows."""
    counted = _Counted(drawn.rows)
    if output == "-":
        _to_stdout(drawn.headings, counted)
        return counted.count
    from canary.files import save_rows

    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "give the name of a file")
    save_rows(path, drawn.headings, counted, force=force)
    return counted.count


class _Counted:
    def __init__(self, rows: Iterator[Mapping[str, str | None]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Mapping[str, str | None]]:
        for row in self._rows:
            self.count += 1
            yield row


def _to_stdout(headings: Sequence[str], rows: _Counted) -> None:
    import csv

    writer = csv.DictWriter(sys.stdout, list(headings), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
