"""Settings in, ready tools out: the one composition root."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from canary import keys, settings
from canary.errors import OutsideError, UsageError
from canary.steps.tools import Tools

if TYPE_CHECKING:
    from canary.ledger.note import Signer
    from canary.store.registry import Registry

CONFIG = "config.toml"


@dataclass(frozen=True)
class MachineClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        """Give the time in milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000


def home_folder(given: str | Path | None) -> Path:
    """Choose the home: what was given, else CANARY_HOME, else the user's data folder."""
    if given:
        return Path(given).expanduser()
    if os.environ.get("CANARY_HOME"):
        return Path(os.environ["CANARY_HOME"]).expanduser()
    from platformdirs import user_data_path

    return user_data_path("canary")


def make_home(folder: Path, database: str | None = None) -> None:
    """Make a home whole or not at all: keys, config and an empty registry; refuses to overwrite."""
    if (folder / CONFIG).exists() or (folder.exists() and any(folder.iterdir())):
        raise UsageError(
            f"{folder} exists already and is not empty", "choose another --home; a home is never overwritten"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.new"
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise OutsideError(
            f"cannot make {folder}: {error.strerror}", "choose a folder you may write to"
        ) from None
    try:
        _fill_home(draft, database)
        draft.rename(folder)
    except OSError as error:
        raise OutsideError(
            f"cannot make {folder}: {error.strerror}", "choose a folder you may write to"
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill_home(draft: Path, database: str | None) -> None:
    from canary.ledger.note import Signer
    from canary.store.registry import Registry

    master = keys.new_master()
    keys.write_secret(draft / "master.key", master.hex().encode() + b"\n")
    keys.write_secret(draft / "ledger.key", secrets.token_hex(32).encode() + b"\n")
    text = settings.default_text()
    if database:
        text = text.replace('url = "sqlite:///canary.db"', f"url = {_toml_string(database)}")
    (draft / CONFIG).touch(mode=0o600)
    (draft / CONFIG).write_text(text, "utf-8")
    url = registry_url(database or settings.RegistryTable().url, draft)
    registry = Registry.create(url, keys.Keys(master))
    try:
        signer = Signer.load(draft / "ledger.key")
        with registry.begin() as tx:
            from canary.store import journal

            journal.append(tx, "init", {"public_key": signer.public.hex()}, signer, MachineClock().now_ms())
    finally:
        registry.close()


def _toml_string(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def registry_url(url: str, folder: Path) -> str:
    """Make a relative SQLite path absolute: it starts at the home."""
    prefix = "sqlite:///"
    if url.startswith(prefix) and not url.startswith(prefix + "/"):
        return prefix + str((folder / url[len(prefix) :]).resolve())
    return url


def read_settings(folder: Path) -> settings.Settings:
    """Read the settings of a home; says how to make one where there is none."""
    if not (folder / CONFIG).exists():
        raise UsageError(f"no home at {folder}", "make one with: canary init --home DIR, or set CANARY_HOME")
    return settings.load(folder / CONFIG)


def open_tools(
    folder: Path,
    database: str | None = None,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Tools:
    """Open the registry of a home with its keys; close it with `tools.registry.close()`."""
    from canary.store.registry import Registry

    config = read_settings(folder)
    master = _master(config.keys.master, folder)
    signer = _signer(config.keys.ledger, folder)
    registry: Registry = Registry.open(registry_url(database or config.registry.url, folder), master)
    return Tools(
        registry=registry,
        keys=master,
        signer=signer,
        clock=MachineClock(),
        new_rng=random.SystemRandom,
        config=config.model_dump(),
        folder=folder,
        **({"progress": progress} if progress else {}),
    )


def _master(place: str, folder: Path) -> keys.Keys:
    if place.startswith("file:"):
        return keys.read_master(folder / place[5:])
    try:
        return keys.Keys(bytes.fromhex(settings.secret(place, folder)))
    except ValueError:
        raise UsageError("keys.master is not 64 hex digits", "give it as file:PATH or env:NAME") from None


def _signer(place: str, folder: Path) -> Signer:
    from canary.ledger.note import Signer

    return Signer.load(folder / place[5:] if place.startswith("file:") else place)
