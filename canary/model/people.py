"""Who may be named, and the contacts that reach us."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RecipientKind(StrEnum):
    """What a recipient is to the owner of the data."""

    PARTNER = "partner"
    ACCOUNT = "account"
    INSIDER = "insider"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may be named; `parent` makes a tree; ghosts are never issued anything and are scored in every trace."""

    id: str
    kind: RecipientKind
    name: str = ""
    parent: str | None = None
    added_ms: int = 0
    ghost: bool = False


class ContactKind(StrEnum):
    """The two kinds of contact that can reach us."""

    EMAIL_DOMAIN = "email-domain"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Contact:
    """A phone number (canonical digits) or mail domain (lower case) that is ours; inert phones can never ring."""

    kind: ContactKind
    value: str
    control: bool = False
    inert: bool = False
    provider: str = ""
    uses: int = 0
    spent_ms: int | None = None
