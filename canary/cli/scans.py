"""What `canary scan` does with its words: scans paths or what is kept, and says what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from canary.cli.say import emit, plain, table, tell, when
from canary.errors import UsageError

if TYPE_CHECKING:
    from canary.model.evidence import ScanError
    from canary.steps.tools import Tools

_AGO: Final = re.compile(r"([0-9]{1,6})([dhm])")
_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How paths are to be scanned."""

    threads: int
    resume: bool
    record: bool


def paths(tools: Tools, given: Sequence[str], since: str | None, wanted: Wanted, json: bool) -> bool:
    """Scan paths and say what was found; tells whether something was."""
    from canary.steps import scan

    if not given or since is not None:
        raise UsageError(
            "--since goes with --kept" if given else "nothing to scan was given",
            "name files, folders or addresses, or give --kept [--since T]",
        )
    fetch = None
    if any(map(scan.is_address, given)):
        from canary.daemon import service

        fetch = service.fetcher(tools)
    scanned = scan.scan_all(tools, given, scan.Way(wanted.threads, wanted.resume, fetch))
    answer = scanned.answer
    shown: dict[str, Any] = plain(answer)
    if wanted.record:
        from canary.daemon import service
        from canary.steps import record as recording

        taken = recording.record(service.taker(tools), scanned)
        shown["recorded"] = {"sightings": taken.sightings, "incidents": list(taken.opened)}
    if json:
        emit(shown)
        return bool(answer.matches)
    names = ["canary", "recipients", "field", "transform", "strength", "file", "member", "offset"]
    table(names, [[_cell(getattr(one, name)) for name in names] for one in answer.matches])
    _tell_errors(answer.errors)
    tell(f"{len(answer.matches)} matches in {answer.files} files, {answer.bytes} bytes")
    if wanted.record:
        _tell_recorded(shown["recorded"]["sightings"], shown["recorded"]["incidents"])
    return bool(answer.matches)


def kept(
    tools: Tools, given: Sequence[str], since: str | None, threads: int, record: bool, json: bool
) -> bool:
    """Read again what is kept and say what was found; tells whether something was that no control hit is."""
    from canary.steps.rehunt import rehunt

    if given:
        raise UsageError("--kept reads what monitors kept, and no paths", "scan the paths apart")
    taker = None
    if record:
        from canary.daemon import service

        taker = service.taker(tools)
    answer = rehunt(tools, _moment(since, tools.clock.now_ms()) if since else 0, threads, taker)
    found = any(not one.control for one in answer.matches)
    if json:
        shown: dict[str, Any] = plain(answer)
        for one in shown["matches"]:
            one["seen"] = when(one.pop("seen_ms"))
        emit(shown)
        return found
    names = ["sighting", "source", "canary", "recipients", "field", "transform", "strength", "new", "control"]
    table(names, [[_cell(getattr(one, name)) for name in names] for one in answer.matches])
    _tell_errors(answer.errors)
    tell(f"{len(answer.matches)} matches in {answer.sightings} sightings, {answer.bytes} bytes")
    if answer.recorded is not None:
        _tell_recorded(answer.recorded, answer.opened)
    return found


def _moment(text: str, now_ms: int) -> int:
    """Read a date, a time (without a zone that of this machine) or how long ago; gives milliseconds since 1970."""
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now_ms - int(ago[1]) * _UNITS[ago[2]]
    try:
        return round(datetime.fromisoformat(text.strip()).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"not a time: {text!r}", "give a date such as 2026-05-01, a time, or how long ago: 30d, 12h"
        ) from None


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else value


def _tell_errors(errors: Sequence[ScanError]) -> None:
    for error in errors:
        tell(f"warning: {error.file}{f' ({error.member})' if error.member else ''}: {error.reason}")


def _tell_recorded(sightings: int, incidents: Sequence[str]) -> None:
    opened = f", opened {', '.join(incidents)}" if incidents else ""
    tell(f"recorded {sightings} sightings{opened}")
