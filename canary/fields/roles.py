"""The closed list of column roles, and the form under which each identifying role is digested."""

from __future__ import annotations

from typing import Final

from canary.errors import UsageError

# Roles whose value can identify a record, and the form of its canonical value (form and value are digested
# together, so that a waybill number found in a text needs no guess whether it is an order or a waybill).
FORMS: Final = {
    "phone": "phone",
    "email": "email",
    "resident_id": "code",
    "waybill_no": "code",
    "order_no": "code",
    "record_no": "code",
    "account_no": "code",
    "bank_card": "code",
    "plate": "code",
    "key": "code",
    "address": "address",
    "name_address": "name_address",
}

# Roles that carry something about a person or a record, but do not identify it alone.
PLAIN: Final = frozenset({
    "name", "sex", "birth_date", "age", "province", "city", "district", "postcode", "employer", "school",
    "job", "date", "time", "money", "measure", "count", "category", "code", "text", "url", "company",
    "other",
})  # fmt: skip

ROLES: Final = frozenset(FORMS.keys() - {"name_address"}) | PLAIN

# Identity of the person: replaced by the persona in a canary row, never copied from a real one.
PERSONAL: Final = frozenset({
    "phone", "email", "resident_id", "name", "sex", "birth_date", "age", "address", "province", "city",
    "district", "postcode", "plate", "bank_card", "account_no",
})  # fmt: skip

# Numbers of the record: fresh in every canary, from a gap or a reserved range.
KEYS: Final = frozenset({"waybill_no", "order_no", "record_no", "key"})


def check_role(role: str) -> str:
    """Return the role, or raise UsageError that lists the known ones."""
    if role not in ROLES:
        raise UsageError(f"unknown role {role!r}", "known roles: " + ", ".join(sorted(ROLES)))
    return role


def form_of(role: str) -> str | None:
    """Give the form under which values of a role are digested, None where the role identifies nothing."""
    return FORMS.get(role)
