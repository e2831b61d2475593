"""Addresses and names in a text: what is looked up for `address` and `name_address`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from canary.fields.address import canonical_address
from canary.fields.values import is_han_name
from canary.patterns import late
from canary.scan.candidates import Candidate

LONGEST = 120  # characters of an address
STARTS = 8  # places in one run of characters where an address may begin

_RUN = late(r"[\u3400-\u9fff][\u3400-\u9fffA-Za-z0-9\-#()（）·—–－ 　]{4,200}")
_SIGN = late(r"[路街道巷弄里村镇乡号园苑城楼幢栋座厦区组室]")
_NUMBER = late(r"[0-9一二三四五六七八九十]")
_LAST = late(r".*(?:[0-9]|[号楼幢栋座元室房户层组队弄])", re.S)
_BEFORE = late(r"[\s住在到至址寄送于是收往为给，：:（(]|(?=北京|天津|上海|重庆|[\u4e00-\u9fff]{2,3}[省市])")
_BLANK = late(r"[ 　]+")
_ROAD = late(r"[路街道巷镇村]")
_WESTERN = late(
    r"\b[0-9]{1,6}[A-Za-z]?[ ]+[A-Za-z0-9.' \-]{2,60}?\b(?:street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|"
    r"ln|court|ct|"
    r"way|place|pl|square|sq|terrace|highway|hwy|parkway|circle|trail)\b(?:[^\"\n\t|;<>{}]{0,60})",
    re.I,
)
_HAN_WORD = late(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,4}(?![\u4e00-\u9fff])")
_LABELLED = late(
    r"(?:姓名|名字|收件人|寄件人|收货人|发件人|联系人|客户|业主|我是|叫)[：:\s]*([\u4e00-\u9fff]{2,4})"
)
_LATIN_WORDS = late(r"[A-Z][A-Za-z'\-]{1,24}(?:,? [A-Z][A-Za-z'\-]{0,24}\.?){1,3}")


def addresses(text: str, *, cells: bool) -> Iterator[Candidate]:
    """Find addresses; in tables (`cells`) a run of address characters is one, in prose it may begin inside a run."""
    for found in _RUN.finditer(text):
        run = found[0]
        if _SIGN.search(run) is None or _NUMBER.search(run) is None:
            continue
        last = _LAST.match(run)
        end = last.end() if last else len(run)
        for start in _starts(run[:end], cells=cells):
            yield from _candidate(text, found.start() + start, found.start() + end)
    if _WESTERN.search(text):
        yield from _western(text)


def _starts(run: str, *, cells: bool) -> Iterator[int]:
    """Give where in a run an address may begin: at its front, after a word of sending, before a road's name."""
    if cells and " " not in run and "\u3000" not in run:
        yield from (0,) if len(run) <= LONGEST else ()
        return
    places = {0: None} | dict.fromkeys(found.end() for found in (_BLANK if cells else _BEFORE).finditer(run))
    if not cells:
        road = _ROAD.search(run)
        places |= dict.fromkeys(max(0, road.start() - length) for length in (2, 3, 4)) if road else {}
    fitting = (start for start in sorted(places) if 5 <= len(run) - start <= LONGEST)
    yield from islice(fitting, STARTS if not cells else 3)


def _western(text: str) -> Iterator[Candidate]:
    for found in _WESTERN.finditer(text):
        whole = found[0]
        ends = [place.start() for place in re.finditer(r",", whole)][:4]
        for end in (*ends, len(whole)):
            yield from _candidate(text, found.start(), found.start() + end)


def _candidate(text: str, start: int, end: int) -> Iterator[Candidate]:
    plain = canonical_address(text[start:end])
    if plain is not None and len(plain) >= 5 and any(map(str.isdigit, plain)):
        yield Candidate("address", plain, start, end)


def names(text: str, *, cells: bool) -> Iterator[tuple[str, int]]:
    """Find words that look like a person's name, with their place."""
    for found in _HAN_WORD.finditer(text):
        if is_han_name(found[0]):
            yield found[0], found.start()
    for found in () if cells else _LABELLED.finditer(text):
        for length in range(2, len(found[1]) + 1):
            yield found[1][:length], found.start(1)
    for found in _LATIN_WORDS.finditer(text):
        yield found[0], found.start()
