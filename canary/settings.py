"""The settings of a home: config.toml over the defaults of config/canary.toml, checked before anything starts."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from canary.errors import OutsideError, UsageError

Positive = Annotated[float, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegistryTable(_Table):
    """Where the registry is."""

    url: str = "sqlite:///canary.db"


class KeysTable(_Table):
    """Where the two keys are."""

    master: str = "file:master.key"
    ledger: str = "file:ledger.key"


class NetTable(_Table):
    """How politely and how carefully the network is used."""

    allow_addresses: tuple[str, ...] = ()
    timeout: Positive = 30
    max_bytes: Annotated[int, Field(gt=0)] = 50_000_000
    host_requests_per_minute: Positive = 30
    retry_base: Positive = 30


class VerdictTable(_Table):
    """When a recipient may be named."""

    limit: Annotated[float, Field(gt=0, lt=1)] = 1e-6
    limit_year: Annotated[float | None, Field(gt=0, lt=1)] = None


class WatchTable(_Table):
    """How long what was seen is kept and grouped."""

    keep_days: Positive = 30
    callers_days: Positive = 90
    incident_days: Positive = 30


class ContactsTable(_Table):
    """How long a phone that became public is left alone."""

    quarantine_days: Positive = 365


class SuppressTable(_Table):
    """How much batch jobs may have checked for canaries."""

    rows_a_day: Annotated[int, Field(ge=0)] = 1_000_000
    copies: bool = True


class MetricsTable(_Table):
    """Where Prometheus may ask; empty for nowhere."""

    listen: str = ""


class AlertsTable(_Table):
    """Who is told, and when."""

    quiet_hours: Annotated[str, Field(pattern=r"^(\d\d:\d\d-\d\d:\d\d)?$")] = ""
    digest: Positive = 3600
    allow: tuple[Mapping[str, Any], ...] = ()
    webhook: tuple[Mapping[str, Any], ...] = ()
    syslog: tuple[Mapping[str, Any], ...] = ()
    apprise: tuple[Mapping[str, Any], ...] = ()


class Settings(_Table):
    """All settings of a home."""

    registry: RegistryTable = RegistryTable()
    keys: KeysTable = KeysTable()
    net: NetTable = NetTable()
    verdict: VerdictTable = VerdictTable()
    watch: WatchTable = WatchTable()
    contacts: ContactsTable = ContactsTable()
    suppress: SuppressTable = SuppressTable()
    metrics: MetricsTable = MetricsTable()
    alerts: AlertsTable = AlertsTable()
    monitors: Mapping[str, Mapping[str, Any]] = {}


def default_text() -> str:
    """Give the commented defaults, as `canary init` writes them."""
    return resources.files("canary").joinpath("config", "canary.toml").read_text("utf-8")


def load(path: Path) -> Settings:
    """Read and check a config.toml; errors name the table and key."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OutsideError(f"cannot read {path}: {error.strerror}", "make a home with: canary init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OutsideError(f"{path} is not valid TOML: {error}", "mend the line it names") from None
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        raise _told(path, error) from None


def _told(path: Path, error: ValidationError) -> UsageError:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return UsageError(
        f"{path.name}: {place}: {first['msg'].lower()}",
        "compare with the defaults in docs/reference/config.md",
    )


def secret(text: str, folder: Path) -> str:
    """Resolve `env:NAME` and `file:PATH` (relative to the home); anything else is itself."""
    if text.startswith("env:"):
        value = os.environ.get(text[4:])
        if value is None:
            raise UsageError(
                f"the environment variable {text[4:]} is not set", f"set {text[4:]}, as config.toml asks"
            )
        return value
    if text.startswith("file:"):
        path = folder / text[5:]
        try:
            return path.read_text("utf-8").strip()
        except OSError as error:
            raise OutsideError(
                f"cannot read the secret file {path}: {error.strerror}", "check its path and mode"
            ) from None
    return text


def resolved(value: Any, folder: Path) -> Any:
    """Resolve every `env:` and `file:` string in nested tables."""
    if isinstance(value, str):
        return secret(value, folder)
    if isinstance(value, Mapping):
        return {key: resolved(inner, folder) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolved(inner, folder) for inner in value]
    return value
