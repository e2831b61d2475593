"""What is missing on this machine or in a home, and how to get it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from canary.errors import CanaryError
from canary.steps.tools import Tools


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


def check_home(folder: Path, open_tools: Callable[[], Tools]) -> list[Check]:
    """Look at the home, its keys' modes, the registry and its ledger."""
    if not (folder / "config.toml").exists():
        return [Check("home", False, f"no home at {folder}", "make one with: canary init")]
    checks = [
        Check("home", True, str(folder)),
        *(_mode(folder / name) for name in ("master.key", "ledger.key")),
    ]
    try:
        tools = open_tools()
    except CanaryError as error:
        return [*checks, Check("registry", False, error.message, error.hint)]
    try:
        return [
            *checks,
            Check("registry", True, "opens with this master key"),
            _ledger(tools),
            _contacts(tools),
        ]
    finally:
        tools.registry.close()


def _mode(path: Path) -> Check:
    if not path.exists():
        return Check(path.name, True, "not in the home; config.toml says where it is")
    mode = stat.S_IMODE(path.stat().st_mode)
    return Check(path.name, mode & 0o077 == 0, f"mode {mode:04o}", f"run: chmod 600 {path}")


def _ledger(tools: Tools) -> Check:
    from canary.steps import ledger

    found = ledger.verify(tools, None)
    return Check(
        "ledger",
        bool(found["ok"]),
        f"{found['entries']} entries",
        "see: canary ledger verify, and restore a backup",
    )


def _contacts(tools: Tools) -> Check:
    from canary.store import contacts

    with tools.registry.read() as tx:
        domains = contacts.domains(tx)
    detail = f"{len(domains)} mail domains" if domains else "no mail domain: canaries will have no alias"
    return Check(
        "contacts", bool(domains), detail, "add one you own with: canary contact add email-domain DOMAIN"
    )
