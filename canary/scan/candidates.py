"""Candidates of a text: everything that is looked up, with its canonical form and its place."""

from __future__ import annotations

import string
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from canary.fields.canonical import canonical_email, canonical_phone
from canary.patterns import late
from canary.scan.hashes import BY_LENGTH

SHORTEST_CODE = 5
LONGEST_CODE = 64
LONGEST_CHAIN = 80

_WORD = late(r"[0-9A-Za-z]{5,}")
_HEX = late(r"[0-9a-fA-F]+\Z")
_GLUED_MOBILE = late(r"(?<![0-9])(?:00)?(?:86)?(1[3-9][0-9]{9})(?![0-9])")
_GLUED_CODE = late(r"[A-Za-z]{1,4}[0-9]{5,}|[0-9]{5,}")
_SIMPLE = late(r"[A-Za-z]{1,24}([0-9]+)\Z")
# Groups of digits with up to three marks between, no new line and no cell border among these.
_MARK = (
    r"[ \-.()/\\_·•*:|\[\]{}<>'+=~#&\u00a0\u2010-\u2015\u3000-\u3002\u3008-\u3011\uff01-\uff0f\uff1a-\uff20"
    r"\uff3b-\uff40\uff5b-\uff65\u200b-\u200d]"
)
_CHAIN = late(rf"(?<![0-9])(?:[+(][0-9]++|[0-9]++)(?:{_MARK}{{1,3}}+[0-9]++)+")
_SPREAD = late(rf"(?:{_MARK}[0-9]){{10,}}(?![0-9])")
_GROUP = late(r"[0-9]+")
_DATE = late(
    r"(?:19|20)[0-9]{2}([-/.])[01]?[0-9]\1[0-3]?[0-9](?:[ T]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?:\.[0-9]+)?)?"
)
_DECIMAL = late(r"[0-9]+\.[0-9]{1,6}\Z")
_PREFIX = late(r"(?<![0-9A-Za-z])[A-Za-z]{1,8}[-_/ ]\Z")
_SPLIT_MOBILE = late(r"1[3-9][0-9](?:[^\w\n]|_){1,2}[0-9]{3,5}(?:[^\w\n]|_){1,2}[0-9]{3,5}")
_MIXED_JOINT = late(r"[-_./](?:(?<=[A-Za-z].)(?=[0-9])|(?<=[0-9].)(?=[A-Za-z]))")
_MIXED = late(r"[0-9A-Za-z]+(?:[-_./][0-9A-Za-z]+)+")
_JOINED_SIGNS = frozenset(string.ascii_letters + string.digits + "-_./")
_SPACED = late(r"[A-Z]{1,3} [0-9]{5,20}")
_LOCAL = late(r"[A-Za-z0-9._%+\-]{1,64}")  # read backwards
_DOMAIN = late(r"@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}")
_PLATE = late(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Za-z][·•\- ]?[A-Za-z0-9]{5,6}"
)


class Candidate(NamedTuple):
    """A value that is looked up: form, canonical value, and where its spelling stands in the text.

    `transform` is the decoder that showed it, and `text` its spelling where that is not the text's own.
    """

    form: str
    canonical: str
    start: int
    end: int
    transform: str = "plain"
    text: str = ""


def contacts(text: str) -> Iterator[Candidate]:
    """Find phones, codes, hex digests and mail addresses, spelt plainly or with separators."""
    yield from words(text)
    yield from chains(text)
    yield from mixed_codes(text)
    if "@" in text:
        yield from emails(text)


def words(text: str) -> Iterator[Candidate]:
    """Find words of letters and digits: codes, phones without separators, hex digests."""
    new = partial(tuple.__new__, Candidate)  # the hottest line of the engine
    for found in _WORD.finditer(text):
        word = found[0]
        if word.isdigit():
            start, end = found.span()
            if len(word) <= LONGEST_CODE:
                yield new(("code", word, start, end, "plain", ""))
            if len(word) <= 19:
                plain = word if len(word) == 11 and word[0] == "1" else canonical_phone(word)
                if plain is not None:
                    yield new(("phone", plain, start, end, "plain", ""))
        elif not word.isalpha():
            yield from _mixed_word(word, found.start())
        elif len(word) in BY_LENGTH and _HEX.match(word):
            yield Candidate("hash", word.lower(), found.start(), found.end())


def _mixed_word(word: str, start: int) -> Iterator[Candidate]:
    simple = _SIMPLE.match(word)
    if simple and len(simple[1]) not in (11, 13, 15) and len(word) <= 32:
        yield Candidate("code", word.upper(), start, start + len(word))
        return
    if len(word) in BY_LENGTH and _HEX.match(word):
        yield Candidate("hash", word.lower(), start, start + len(word))
    if len(word) <= LONGEST_CODE:
        yield Candidate("code", word.upper(), start, start + len(word))
    for found in _GLUED_MOBILE.finditer(word):
        yield Candidate("phone", found[1], start + found.start(), start + found.end())
    for found in _GLUED_CODE.finditer(word):
        if found[0] != word:
            yield Candidate("code", found[0].upper(), start + found.start(), start + found.end())


def chains(text: str) -> Iterator[Candidate]:
    """Find numbers in groups of digits: 138-0013-8000, +86 138 0013 8000, (415) 555-2671, 6222 0212 3456 7890."""
    for found in _CHAIN.finditer(text):
        chain = found[0]
        if len(chain) < 7:
            continue
        start = found.start()
        date = _DATE.match(chain) if chain[0] in "12" else None
        if date:
            start, chain = start + date.end(), chain[date.end() :]
        if len(chain) >= 7 and not _DECIMAL.match(chain):
            yield from _groups(text, chain, start)
    yield from _spread(text)


def _spread(text: str) -> Iterator[Candidate]:
    """Find mobiles in cells of their own (138,0013,8000) and digits one by one."""
    for found in _SPLIT_MOBILE.finditer(text):
        plain = "".join(filter(str.isdigit, found[0]))
        if len(plain) == 11:
            yield Candidate("phone", plain, found.start(), found.end())
    for found in _SPREAD.finditer(text):
        start = max(0, found.start() - 1)
        plain = "".join(filter(str.isdigit, text[start : found.end()]))
        for form, each in (("phone", canonical_phone(plain)), ("code", plain)):
            if each is not None and len(each) <= LONGEST_CODE:
                yield Candidate(form, each, start, found.end())


def _groups(text: str, chain: str, start: int) -> Iterator[Candidate]:
    """Look up every stretch of groups that could be one phone, and the whole as a code."""
    spans = [found.span() for found in _GROUP.finditer(chain)]
    for first in range(len(spans)):
        digits = ""
        for last in range(first, min(first + 7, len(spans))):
            digits += chain[spans[last][0] : spans[last][1]]
            if len(digits) > 17:
                break
            lead = _lead(chain, spans[first][0])
            if (last > first or lead != spans[first][0]) and len(digits) >= 7:
                plain = canonical_phone(chain[lead : spans[last][1]])
                if plain is not None:
                    yield Candidate("phone", plain, start + lead, start + spans[last][1])
    yield from _grouped_code(text, chain, spans, start)


def _lead(chain: str, place: int) -> int:
    """Give the place of the '+' or '(' right before a group, else the group's own."""
    while place > 0 and chain[place - 1] in "+(":
        place -= 1
    return place


def _grouped_code(text: str, chain: str, spans: list[tuple[int, int]], start: int) -> Iterator[Candidate]:
    joints = {chain[one[1] : two[0]] for one, two in pairwise(spans)}
    if len(joints) > 1 or len(spans) < 2 or len(chain) > LONGEST_CHAIN:
        return
    digits = "".join(chain[a:b] for a, b in spans)
    first, end = start + spans[0][0], start + spans[-1][1]
    check = text[end : end + 1]
    code = digits + (check.upper() if check in ("X", "x") and len(digits) == 17 else "")
    if len(digits) >= SHORTEST_CODE:
        yield Candidate("code", code, first, end)
    prefix = _PREFIX.search(text, max(0, first - 10), first)
    if prefix:
        yield Candidate("code", prefix[0][:-1].upper() + code, prefix.start(), end)


def mixed_codes(text: str) -> Iterator[Candidate]:
    """Find codes of letters and digits joined by one kind of mark (SO-2024-001234), spaced ones and number plates."""
    done = 0
    for found in _MIXED_JOINT.finditer(text):
        place = found.start()
        if place < done:
            continue
        while place > done and text[place - 1] in _JOINED_SIGNS:
            place -= 1
        whole = _MIXED.search(text, place)
        if whole is None:
            break
        done = whole.end()
        code = "".join(filter(str.isalnum, whole[0])).upper()
        if SHORTEST_CODE <= len(code) <= LONGEST_CODE and not code.isalpha() and _one_joint(whole[0]):
            yield Candidate("code", code, whole.start(), done)
    for found in _SPACED.finditer(text):
        yield Candidate("code", found[0].replace(" ", "").upper(), found.start(), found.end())
    for found in _PLATE.finditer(text):
        code = "".join(filter(str.isalnum, found[0])).upper()
        yield Candidate("code", code, found.start(), found.end())


def _one_joint(text: str) -> bool:
    return len({sign for sign in text if not sign.isalnum()}) == 1


def emails(text: str) -> Iterator[Candidate]:
    """Find mail addresses, also one that punctuation of a mark-up is glued to."""
    for found in _DOMAIN.finditer(text):
        at, end = found.span()
        local = _LOCAL.match(text[max(0, at - 64) : at][::-1])
        if local is None:
            continue
        start = at - local.end()
        while start < at:
            word = text[start:end]
            plain = word.lower() if word[0].isalnum() and len(word) < 190 else canonical_email(word)
            if plain is not None:
                yield Candidate("email", plain, start, end)
            if word[0].isalnum():
                break
            start = end - len(word.lstrip("._%+-"))
