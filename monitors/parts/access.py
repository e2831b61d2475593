"""Lines of access logs: who touched something, from where and when, in the forms that such logs have."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

TELLING: Final = 200  # characters kept of an account or address
PLACES: Final = ("ip", "remote_addr", "client_ip", "client", "address", "host")
COMBINED: Final = re.compile(r'^(\S+) \S+ (\S+) \[([^\]]{1,40})\] "')
AUDIT: Final = re.compile(r"\bAUDIT: (?:SESSION|OBJECT),")
AUDIT_WHO: Final = re.compile(r"(?:^|[\s=])(?:user=)?([\w.$-]{1,63})@[\w.$-]{1,63}")
AUDIT_FROM: Final = re.compile(r"\b(?:client=|host=)?(\d{1,3}(?:\.\d{1,3}){3})\b")
AUDIT_WHEN: Final = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)(?: (UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
)


@dataclass(frozen=True, slots=True)
class Touch:
    """One line: the account that acted ("" where none is told), the address it came from, and when (0: unknown)."""

    account: str
    address: str
    time_ms: int


Reader = Callable[[str], Touch | None]


def reader_of(format: str, account: str, time: str, headings: tuple[str, ...] = ()) -> Reader:
    """Give what reads a line of a format, None for a line that tells of no touch.

    `account` and `time` name keys of JSON lines (with dots for nested ones) or columns of CSV.
    """
    readers: Mapping[str, Reader] = {
        "jsonl": partial(_of_json, account, time),
        "csv": partial(_of_csv, account, time, headings),
        "combined": _of_combined,
        "pgaudit": _of_audit,
    }
    return readers[format]


def cells_of(line: str) -> tuple[str, ...]:
    """Read one line of CSV; nothing of one that is broken."""
    try:
        return tuple(next(csv.reader(io.StringIO(line)), ()))
    except csv.Error:
        return ()


def _of_json(account: str, time: str, line: str) -> Touch | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    address = next((text for name in PLACES if (text := _at(told, name))), "")
    return Touch(_at(told, account), address, moment_ms(_at(told, time)))


def _at(told: Mapping[str, object], key: str) -> str:
    """Give a value by its key, or by dots into nested objects, as text."""
    value: object = told.get(key)
    if value is None and "." in key:
        value = told
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    return str(value)[:TELLING] if isinstance(value, str | int | float) else ""


def _of_csv(account: str, time: str, headings: tuple[str, ...], line: str) -> Touch | None:
    cells = cells_of(line)
    if len(cells) != len(headings) or cells == headings:
        return None
    told = dict(zip(headings, cells, strict=True))
    address = next((told[name] for name in PLACES if told.get(name)), "")
    return Touch(told.get(account, "")[:TELLING], address[:TELLING], moment_ms(told.get(time, "")))


def _of_combined(line: str) -> Touch | None:
    found = COMBINED.match(line)
    if found is None:
        return None
    address, account, when = found.groups()
    return Touch("" if account == "-" else account[:TELLING], address[:TELLING], moment_ms(when))


def _of_audit(line: str) -> Touch | None:
    found = AUDIT.search(line)
    if found is None:
        return None
    head = line[: found.start()]
    who, place, when = AUDIT_WHO.search(head), AUDIT_FROM.search(head), AUDIT_WHEN.match(head)
    spelt = f"{when[1]}{'+00' if when[2] in (None, 'UTC', 'GMT') else when[2]}" if when else ""
    return Touch(who[1] if who else "", place[1] if place else "", moment_ms(spelt))


def moment_ms(text: str) -> int:
    """Read seconds or milliseconds since 1970, RFC 3339 or the time of combined logs; 0 where it is none of them."""
    try:
        number = float(text)
        return int(number if number > 1e11 else number * 1000) if 0 < number < 1e14 else 0
    except ValueError:
        pass
    for read in (datetime.fromisoformat, lambda one: datetime.strptime(one, "%d/%b/%Y:%H:%M:%S %z")):
        try:
            moment = read(text.strip())
            return int((moment if moment.tzinfo else moment.astimezone()).timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            continue
    return 0
