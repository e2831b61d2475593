"""The pool of contacts that are ours: phone numbers and mail domains."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

from canary.errors import SafetyError, UsageError
from canary.fields.canonical import canonical
from canary.model.people import Contact, ContactKind
from canary.steps.rosters import read_roster, truth
from canary.steps.tools import Tools
from canary.store import contacts as store
from canary.store import journal

QUARANTINE_DAYS: Final = 365
DAY_MS: Final = 86_400_000
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def checked(kind: str, value: str, *, control: bool = False, provider: str = "") -> Contact:
    """Make a contact from what a person wrote; a number that cannot exist is marked inert."""
    if kind == ContactKind.EMAIL_DOMAIN:
        return Contact(ContactKind.EMAIL_DOMAIN, _domain(value), control=control, provider=provider)
    if kind == ContactKind.PHONE:
        digits = _phone(value)
        return Contact(ContactKind.PHONE, digits, control=control, inert=is_inert(digits), provider=provider)
    raise UsageError(f"{kind!r} is not a kind of contact", "kinds: email-domain, phone")


def _domain(value: str) -> str:
    from canary.generators.safety import is_public_provider

    domain = value.strip().rstrip(".").lower()
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    if not DOMAIN.fullmatch(domain):
        raise UsageError(f"{value!r} is not a mail domain", "give a name such as mail.example.org")
    if is_public_provider(domain):
        raise SafetyError(
            f"{domain} is a public mail provider",
            "add a domain that your organisation owns: aliases must reach nobody else",
        )
    return domain


def _phone(value: str) -> str:
    digits = canonical("phone", value)
    if digits is None or not 5 <= len(digits) <= 15:
        raise UsageError(
            f"{value!r} is not a phone number", "give 5 to 15 digits, national or with +country code"
        )
    return digits


def is_inert(digits: str) -> bool:
    """Tell whether a number can never ring: impossible by phonenumbers, or in a block that no operator has."""
    import phonenumbers

    from canary.generators.phones import in_inert_block

    if in_inert_block(digits):
        return True
    for text, region in ((digits, "CN"), ("+" + digits, None)):
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(text, region)):
                return False
        except phonenumbers.NumberParseException:
            continue
    return True


def add_many(tools: Tools, contacts: Sequence[Contact]) -> int:
    """Add contacts in one transaction with their ledger entry; the ledger holds their number, never the values."""
    now = tools.clock.now_ms()
    with tools.registry.begin() as tx:
        store.add_many(tx, list(contacts), now)
        counts = {kind.value: sum(one.kind == kind for one in contacts) for kind in ContactKind}
        journal.append(tx, "contact", {"added": counts}, tools.signer, now)
    return len(contacts)


def import_file(tools: Tools, path: Path) -> int:
    """Import contacts from CSV or JSONL with columns kind, value, optional control and provider."""
    contacts = [
        checked(
            row["kind"], row["value"], control=truth(row.get("control", "")), provider=row.get("provider", "")
        )
        for row in read_roster(path, ("kind", "value"))
    ]
    if not contacts:
        raise UsageError(f"{path.name} holds no contact", "write a row for each, with columns kind and value")
    return add_many(tools, contacts)


def rested_ms(tools: Tools) -> int:
    """Give the time before which a phone must have been spent to be issued again."""
    table = cast("Mapping[str, Any]", tools.config.get("contacts", {}))
    return tools.clock.now_ms() - int(float(table.get("quarantine_days", QUARANTINE_DAYS)) * DAY_MS)


def list_all(tools: Tools) -> list[dict[str, Any]]:
    """Give all contacts as `contact list --json` tells them, with the state of each."""
    rested = rested_ms(tools)
    with tools.registry.read() as tx:
        found = store.list_all(tx)
    return [
        {"kind": one.kind.value, "value": one.value, "control": one.control, "inert": one.inert,
         "provider": one.provider, "uses": one.uses, "state": _state(one, rested)}
        for one in found
    ]  # fmt: skip


def _state(one: Contact, rested: int) -> str:
    """Tell whether a contact is a control, free, in use, or spent (public, and left alone for a while)."""
    if one.control:
        return "control"
    if one.spent_ms is not None and one.spent_ms >= rested:
        return "spent"
    return "in use" if one.uses or one.kind == ContactKind.EMAIL_DOMAIN else "free"
