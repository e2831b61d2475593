"""Dates and moments as tables spell them: found out from values, read and written again to the character."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

# Tokens of a template: %Y year, %m %d %H %M %S two digits, %-m … without padding, %y two-digit year,
# %1f … %9f fraction of a second, %I hour of twelve, %p AM or PM (%P am, %A 上午), %z zone; %s and %3s
# seconds and milliseconds since 1970 (UTC).
_TOKENS: Final = {
    "%Y": r"(?P<Y>\d{4})", "%y": r"(?P<y>\d\d)", "%m": r"(?P<m>\d\d)", "%d": r"(?P<d>\d\d)",
    "%H": r"(?P<H>\d\d)", "%M": r"(?P<M>\d\d)", "%S": r"(?P<S>\d\d)", "%-m": r"(?P<m>[1-9]\d?)",
    "%-d": r"(?P<d>[1-9]\d?)",
    "%-H": r"(?P<H>\d|[1-9]\d)", "%I": r"(?P<I>\d\d)", "%-I": r"(?P<I>[1-9]\d?)", "%p": r"(?P<p>AM|PM)",
    "%P": r"(?P<p>am|pm)", "%A": r"(?P<p>上午|下午)",
    "%z": r"(?P<z>Z|[+-]\d\d:?\d\d)", "%s": r"(?P<s>\d{9,10})", "%3s": r"(?P<ms>\d{13})",
}  # fmt: skip
_HALVES: Final = {"%p": ("AM", "PM"), "%P": ("am", "pm"), "%A": ("上午", "下午")}
_TOKEN = re.compile(r"%[1-9]f|%-?[A-Za-z]|%3s")
SECONDS: Final = "%s"
_EARLIEST, _LATEST = 1900, 2199
_EPOCH: Final = datetime(1970, 1, 1)

_DAYS: Final = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%-m-%-d", "%Y/%-m/%-d",
    "%Y.%-m.%-d", "%Y年%-m月%-d日",
    "%m/%d/%Y", "%d/%m/%Y", "%-m/%-d/%Y", "%-d/%-m/%Y", "%d.%m.%Y", "%-d.%-m.%Y",
    "%d-%m-%Y", "%m-%d-%Y", "%y/%m/%d", "%y-%m-%d",
)  # fmt: skip
_CLOCKS: Final = (
    "%H:%M:%S", "%H:%M", "%-H:%M:%S", "%-H:%M", "%H时%M分%S秒", "%H时%M分", "%-H时%M分", "%H%M%S", "%H%M",
    *(hour + rest + half for half in (" %p", " %P", "%p", "%P")
      for rest in (":%M:%S", ":%M") for hour in ("%I", "%-I")),
    *("%A" + hour + rest for rest in (":%M:%S", ":%M") for hour in ("%I", "%-I")),
)  # fmt: skip
_JOIN = re.compile(r"T| {0,2}")
_ZONE = re.compile(r"\s?(?:Z|[+-]\d\d:?\d\d|UTC|CST)$")
_ANY_ZONE = re.compile(r"Z|[+-]\d\d:?\d\d")
_FRACTION = re.compile(r":\d\d([.,])(\d{1,9})$")


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """One spelling of dates or moments; `template` is made of the tokens of this module."""

    template: str

    def parse(self, text: str) -> datetime:
        """Read a value; aware where the template holds %z, else naive; ValueError on another spelling."""
        found = _pattern(self.template).fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not spelt {self.template!r}")
        return _moment(found.groupdict())

    def format(self, moment: datetime) -> str:
        """Write a moment in this spelling, cut to its resolution."""
        return _TOKEN.sub(lambda token: _written(token[0], moment), self.template).replace("%%", "%")

    @property
    def step(self) -> timedelta:
        """The smallest difference this spelling can tell."""
        fraction = re.search(r"%(\d)[fs]", self.template)
        if fraction:
            return max(timedelta(seconds=10 ** -int(fraction[1])), timedelta(microseconds=1))
        for token, step in (("%S", 1), ("%s", 1), ("%M", 60), ("%H", 3600), ("%-H", 3600)):
            if token in self.template:
                return timedelta(seconds=step)
        return timedelta(days=1)

    @property
    def has_clock(self) -> bool:
        """Whether the spelling tells a time of day."""
        return self.step < timedelta(days=1)

    def reads(self, text: str) -> bool:
        """Tell whether a value is spelt so and comes out of it as it went in."""
        try:
            return self.format(self.parse(text)) == text
        except (ValueError, OverflowError):
            return False


def detect_format(values: Sequence[str | None], minimum: float = 0.98) -> TimeFormat | None:
    """Find the spelling in which at least `minimum` of the filled values are, None where there is none."""
    filled = [value for value in values if value and value.strip()]
    if not filled:
        return None
    best = max(_candidates(filled), key=lambda one: (one[0], -one[1]), default=None)
    return best[2] if best is not None and best[0] >= minimum * len(filled) else None


def _candidates(filled: Sequence[str]) -> list[tuple[int, int, TimeFormat]]:
    templates = dict.fromkeys(
        template for value in (filled[0], filled[-1], *filled[:20]) for template in _templates(value)
    )
    formats = [(rank, TimeFormat(template)) for rank, template in enumerate(templates)]
    probed = [(rank, one) for rank, one in formats if any(map(one.reads, filled[:20]))]
    return [(sum(map(one.reads, filled)), rank, one) for rank, one in probed]


def _templates(value: str) -> list[str]:
    """Give the templates a value may have been written in, the likeliest first."""
    if value.isdigit() and len(value) in (9, 10, 13):
        return ["%3s" if len(value) == 13 else "%s"]
    core, tail, zone = value, "", _ZONE.search(value)
    if zone and ":" in value:
        core, tail = value[: zone.start()], zone[0]
    fraction = _FRACTION.search(core)
    if fraction:
        core, tail = core[: fraction.start(1)], f"{fraction[1]}%{len(fraction[2])}f{tail}"
    tails = [tail] if zone is None or zone[0].strip() in ("UTC", "CST") else [tail, _ANY_ZONE.sub("%z", tail)]
    return [base + each for base in _bases(core) for each in tails]


def _bases(core: str) -> list[str]:
    """Give the templates of a value without fraction and zone: a day, or a day and a clock."""
    found = []
    for day in _DAYS:
        start = _pattern(day).match(core)
        if start is None:
            continue
        join = _JOIN.match(core, start.end())
        rest = core[join.end() :] if join else ""
        if start.end() == len(core):
            found.append(day)
        elif join:
            found += [day + join[0] + clock for clock in _CLOCKS if _pattern(clock).fullmatch(rest)]
    return found


@lru_cache(maxsize=4096)
def _pattern(template: str) -> re.Pattern[str]:
    places, end = [], 0
    for token in _TOKEN.finditer(template):
        places.append(re.escape(template[end : token.start()]))
        name = token[0]
        places.append(rf"(?P<f>\d{{{name[1]}}})" if name.endswith("f") else _TOKENS[name])
        end = token.end()
    return re.compile("".join(places) + re.escape(template[end:]))


def _moment(parts: dict[str, str | None]) -> datetime:
    read = {name: text for name, text in parts.items() if text is not None}
    if "s" in read or "ms" in read:
        return _EPOCH + timedelta(seconds=int(read.get("s", 0)), milliseconds=int(read.get("ms", 0)))
    year = int(read["Y"]) if "Y" in read else _century(int(read["y"]))
    if not _EARLIEST <= year <= _LATEST:
        raise ValueError(f"year {year} is outside {_EARLIEST}–{_LATEST}")
    hour = _hour(int(read["I"]), read["p"]) if "I" in read else int(read.get("H", 0))
    minute, second = int(read.get("M", 0)), int(read.get("S", 0))
    micro = int(read.get("f", "0")[:6].ljust(6, "0"))
    zone = _zone(read["z"]) if "z" in read else None
    return datetime(year, int(read["m"]), int(read["d"]), hour, minute, second, micro, zone)


def _century(year: int) -> int:
    return 2000 + year if year < 69 else 1900 + year  # POSIX


def _hour(hour: int, half: str) -> int:
    if not 1 <= hour <= 12:
        raise ValueError(f"hour {hour} is not 1–12")
    return hour % 12 + (12 if half in ("PM", "pm", "下午") else 0)


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _written(token: str, moment: datetime) -> str:
    if token.endswith("f"):
        return f"{moment.microsecond:06d}".ljust(9, "0")[: int(token[1])]
    if token in (SECONDS, "%3s"):
        passed = moment - (_EPOCH if moment.tzinfo is None else _EPOCH.replace(tzinfo=UTC))
        return str(passed // (timedelta(seconds=1) if token == SECONDS else timedelta(milliseconds=1)))
    if token[-1] == "z":
        return _zone_text(moment)
    if token in _HALVES:
        return _HALVES[token][moment.hour >= 12]
    text = _NUMBERS[token[-1]](moment)
    return str(int(text)) if token[1] == "-" else text


_NUMBERS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "Y": lambda moment: f"{moment.year:04d}",
    "y": lambda moment: f"{moment.year % 100:02d}",
    "m": lambda moment: f"{moment.month:02d}",
    "d": lambda moment: f"{moment.day:02d}",
    "H": lambda moment: f"{moment.hour:02d}",
    "I": lambda moment: f"{(moment.hour + 11) % 12 + 1:02d}",
    "M": lambda moment: f"{moment.minute:02d}",
    "S": lambda moment: f"{moment.second:02d}",
}


def _zone_text(moment: datetime) -> str:
    offset = moment.utcoffset() or timedelta()
    minutes = int(abs(offset).total_seconds()) // 60
    return f"{'-' if offset < timedelta() else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
