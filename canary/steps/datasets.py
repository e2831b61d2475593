"""Which dataset a table belongs to, and under which policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, count

from canary.errors import UsageError
from canary.fields.policy import default_policy_version, parse_policy
from canary.model.data import DatasetVersion, Policy
from canary.store import datasets as store
from canary.store.registry import Tx


@dataclass(frozen=True)
class Chosen:
    """The dataset version a table is released under, and its policy (None: canaries alone)."""

    version: DatasetVersion
    policy: Policy | None


def choose(
    tx: Tx, headings: tuple[str, ...], policy: Policy | None, name: str | None, file_stem: str, now_ms: int
) -> Chosen:
    """Choose the dataset: by name, else the policy's, else the one of equal headings, else named after the file."""
    if policy is not None:
        check_columns(policy, headings)
        return _version(name or policy.dataset, headings, policy.text, now_ms)
    known = store.latest(tx, name) if name else next(iter(store.by_headings(tx, headings)), None)
    if known is not None and known.headings == headings:
        return _version(known.dataset, headings, known.policy, now_ms)
    return _version(name or _free_name(tx, file_stem), headings, "", now_ms)


def check_columns(policy: Policy, headings: tuple[str, ...]) -> None:
    """Refuse a policy that names columns the table does not have."""
    named = [*policy.columns, *(column for anchor in policy.anchors for column in anchor)]
    for column in named:
        if column not in headings:
            raise UsageError(
                f"the policy names a column {column!r} that the table does not have",
                "columns: " + ", ".join(headings),
            )


def _version(dataset: str, headings: tuple[str, ...], text: str, now_ms: int) -> Chosen:
    sha256 = default_policy_version(dataset, headings, text)
    version = DatasetVersion(sha256, dataset, headings, text, now_ms)
    return Chosen(version, parse_policy(text) if text else None)


def _free_name(tx: Tx, stem: str) -> str:
    base = re.sub(r"\s+", "-", stem.strip()) or "dataset"
    taken = set(store.names(tx))
    numbered = (f"{base}-{number}" for number in count(2))
    return next(name for name in chain([base], numbered) if name not in taken)
