"""Other spellings of the same text: each decoder gives a view of a passage, with the way back to its place."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from canary.fields.fold import INVISIBLE
from canary.patterns import late
from canary.scan.decode import decode_bytes

NESTING = 3  # base64 within base64
AROUND = 160  # characters of a passage on both sides of what is suspicious
ROUNDS = 2  # encodings inside encodings

_NUMERAL_SIGNS: Final = "〇零○Ｏ 一壹幺弌 二贰两貳兩 三叁參叄 四肆 五伍 六陆陸 七柒 八捌 九玖"
_NUMERAL_VALUES: Final = {
    sign: str(digit) for digit, signs in enumerate(_NUMERAL_SIGNS.split()) for sign in signs
}
_SIGNS: Final = "".join(_NUMERAL_VALUES)
NUMERALS: Final = _SIGNS
WIDE: Final = (
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff20\uff0e\uff0b\uff0d\ufe52\ufe6b\ufe63\u2024\u2070-\u2089\u2460-\u249b\u24b6-\u24ea"
    "\u24f5-\u24fe\u2776-\u2793\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u3021-\u3029\U0001d400-\U0001d7ff\U0001f100-\U0001f10a"
)


@dataclass(frozen=True, slots=True)
class View:
    """A decoded text; `places` are (place in it, place in what it was decoded from), rising."""

    text: str
    places: tuple[tuple[int, int], ...]
    transform: str

    def origin(self, place: int) -> int:
        """Give where a place of the view stood before it was decoded."""
        here, before = self.places[bisect_right(self.places, (place, 1 << 62)) - 1]
        return before + min(place - here, self._room(here, before, place))

    def _room(self, here: int, before: int, place: int) -> int:
        at = bisect_right(self.places, (place, 1 << 62))
        return max(0, self.places[at][1] - before - 1) if at < len(self.places) else place - here


@dataclass(frozen=True, slots=True)
class Decoder:
    """One way to spell: what looks like it, and what each find stands for (None: leave it)."""

    transform: str
    pattern: re.Pattern[str]
    plain: Callable[[re.Match[str]], str | None]

    def view(self, text: str) -> View | None:
        """Decode a text, None where nothing in it changes."""
        parts: list[str] = []
        places: list[tuple[int, int]] = [(0, 0)]
        size = end = 0
        for found in self.pattern.finditer(text):
            plain = self.plain(found)
            if plain is None or plain == found[0]:
                continue
            parts += [text[end : found.start()], plain]
            size += found.start() - end
            places.append((size, found.start()))
            size, end = size + len(plain), found.end()
            places.append((size, end))
        return View("".join(parts) + text[end:], tuple(places), self.transform) if parts else None


def _octets(found: re.Match[str], mark: str) -> str | None:
    pairs = re.findall(f"{mark}([0-9A-Fa-f]{{2}})", found[0])
    octets = bytes.fromhex("".join(pairs))
    if not octets:
        return ""
    text = decode_bytes(octets) if max(octets) > 0x7E else octets.decode("ascii")
    return None if any(ord(sign) < 32 and sign not in "\t\r\n" for sign in text) else text


def _escape(found: re.Match[str]) -> str:
    text = found[0]
    if text[1] in "uUx":
        digits = re.findall(r"\\(?:u|U|x)\{?([0-9A-Fa-f]+)\}?", text)
        units = [int(each, 16) for each in digits]
        joined = "".join(chr(unit) for unit in units if unit < 0x110000)
        return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return {"n": "\n", "r": "\r", "t": "\t", "b": " ", "f": " ", "v": " "}.get(text[1], text[1])


def _wide(found: re.Match[str]) -> str:
    return "".join(plain_of(sign) for sign in found[0])


def plain_of(sign: str) -> str:
    """Give what a wide character stands for."""
    value = unicodedata.digit(sign, None)
    return str(value) if value is not None else unicodedata.normalize("NFKC", sign)


def numeral_of(sign: str) -> str:
    """Give the digit that a numeral stands for."""
    return _NUMERAL_VALUES[sign]


def _numeral(found: re.Match[str]) -> str:
    return "".join(_NUMERAL_VALUES.get(sign, sign) for sign in found[0])


QUOTED: Final = Decoder(
    "quoted_printable", late(r"(?:=[0-9A-Fa-f]{2}|=[ \t]*\r?\n)+"), partial(_octets, mark="=")
)
_ENTITY = late(r"&(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z]{2,10};)")
_ESCAPE = late(
    r"(?:\\u[0-9A-Fa-f]{4})+|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\u\{[0-9A-Fa-f]{1,6}\}|\\[^0-9A-Za-z\s]|\\[nrtbfv]"
)
_PERCENT = late(r"(?:%[0-9A-Fa-f]{2})+|(?<=[0-9A-Za-z])\+(?=[0-9A-Za-z])")
_OPEN, _CLOSE = r"\s{0,4}[\[({<（【]\s{0,4}", r"\s{0,4}[\])}>）】]\s{0,4}"
_AFTER, _AHEAD = r"(?<=[0-9A-Za-z])", r"(?=[0-9A-Za-z])"
_AT = (
    rf"{_OPEN}(?:at|@|艾特|圈a){_CLOSE}|{_AFTER}\s{{1,4}}(?:at|@)\s{{1,4}}{_AHEAD}|"
    rf"{_AFTER}[ \t]{{0,4}}@[ \t]{{0,4}}{_AHEAD}|{_AFTER}[_\-]at[_\-]{_AHEAD}"
)
_DOT = rf"{_OPEN}(?:dot|点|\.){_CLOSE}|{_AFTER}\s{{1,4}}(?:dot|\.)\s{{1,4}}{_AHEAD}"
_IS_AT = late(r"at|@|艾特|圈a", re.I)
CHAIN: Final = (
    Decoder("html", _ENTITY, lambda found: html.unescape(found[0])),
    Decoder("json", _ESCAPE, _escape),
    Decoder("percent", _PERCENT, lambda found: " " if found[0] == "+" else _octets(found, "%")),
    Decoder("zero_width", late(f"[{INVISIBLE}]+"), lambda _: ""),
    Decoder("fullwidth", late(f"[{WIDE}]+"), _wide),
    Decoder("numerals", late(f"(?<![0-9])[0-9]*+[{_SIGNS}](?:[ \\-·]?[0-9{_SIGNS}]){{4,}}"), _numeral),
    Decoder("at_dot", late(f"{_AT}|{_DOT}", re.I), lambda found: "@" if _IS_AT.search(found[0]) else "."),
)
_SUSPICIOUS: Final = (
    late(rf"[{INVISIBLE}{WIDE}]|\\[^\s]|[=%][0-9A-Fa-f]{{2}}|&[#A-Za-z]|=[ \t]*\r?\n"),
    late(rf"[{_SIGNS}](?:[ \-·]?[0-9{_SIGNS}]){{3}}"),
    late(r"[\[({<（【]\s{0,4}(?:[aA][tT]|@|[dD][oO][tT]|点|\.|艾特|圈a)\s{0,4}[\])}>）】]"),
    late(r"[ \t_\-](?:@|at|AT|At|dot|DOT|Dot)[ \t_\-]"),
    late(r"@[ \t]|[ \t]@"),
)
_BASE64 = late(r"[A-Za-z0-9+/\-_]{12,}(?:\r?\n[A-Za-z0-9+/\-_]{4,})*={0,2}")


def passages(text: str) -> Iterator[tuple[int, int]]:
    """Give the stretches of a text around whatever looks encoded, joined where they touch."""
    spans = [found.span() for pattern in _SUSPICIOUS for found in pattern.finditer(text)]
    start, end = 0, -AROUND
    for first, last in sorted(spans):
        if first - AROUND > end:
            if end > 0:
                yield start, end
            start = max(0, first - AROUND)
        end = max(end, last + AROUND)
    if end > 0:
        yield start, min(end, len(text))


def views(text: str) -> Iterator[tuple[str, Callable[[int], int], str]]:
    """Decode a passage step by step; give each new text, the way back to the passage, and the transform."""
    seen = {text}
    bases = [(text, _same, "plain")]
    quoted = QUOTED.view(text)
    if quoted is not None:
        bases.append((quoted.text, quoted.origin, QUOTED.transform))
        seen.add(quoted.text)
        yield bases[-1]
    for base in bases:
        yield from _chained(*base, seen)


def _chained(
    text: str, back: Callable[[int], int], transform: str, seen: set[str]
) -> Iterator[tuple[str, Callable[[int], int], str]]:
    for _ in range(ROUNDS):
        for decoder in CHAIN:
            view = decoder.view(text)
            if view is None:
                continue
            text, back, transform = view.text, partial(_through, view, back), decoder.transform
            if text not in seen:
                seen.add(text)
                yield text, back, transform


def _same(place: int) -> int:
    return place


def _through(view: View, back: Callable[[int], int], place: int) -> int:
    return back(view.origin(place))


def base64_texts(text: str) -> Iterator[tuple[str, int]]:
    """Give the texts that base64 passages hold (nested up to three deep), with the passage's place."""
    for found in _BASE64.finditer(text):
        if not text[found.start() + 4 : found.start() + 8].isdigit():  # which no text gives
            yield from ((inner, found.start()) for inner in _unwrapped(found[0], NESTING))


def base64_end(text: str, start: int) -> int:
    """Give where a passage of base64 that starts here ends, on whichever line; `start` where there is none."""
    found = _BASE64.match(text, start)
    return found.end() if found else start


def _unwrapped(passage: str, nesting: int) -> Iterator[str]:
    pieces = [passage, *(piece for piece in _JOINTS.split(passage) if piece != passage and len(piece) >= 12)]
    for inner in filter(None, map(decoded64, pieces)):
        yield inner
        if nesting > 1:
            for found in _BASE64.finditer(inner):
                yield from _unwrapped(found[0], nesting - 1)


def decoded64(passage: str) -> str | None:
    """Decode base64 (also URL-safe, unpadded, wrapped), None where that gives no readable text."""
    packed = re.sub(r"[\r\n=]", "", passage).translate(_URL_SAFE)
    if len(packed) % 4 == 1:
        packed = packed[:-1]
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return _readable(data)


_URL_SAFE: Final = str.maketrans("-_", "+/")
_CONTROLS: Final = late(r"[\x00-\x08\x0e-\x1f\x7f]")
_TELLING: Final = late(r"[0-9]{3}|[A-Za-z0-9]@|%[0-9A-Fa-f]{2}|&#|\\u")
_JOINTS: Final = late(r"[/+_\-]|\r?\n")


def _readable(data: bytes) -> str | None:
    """Give the text of bytes that are one: no control characters, something to be found in it."""
    try:
        text = _telling(data, "utf-16-le") if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        text = _telling(data, "gb18030")
    return text if text and not _CONTROLS.search(text) else None


def _telling(data: bytes, encoding: str) -> str:
    """Decode in an encoding that nearly any bytes have, but only where a number or mail address shows."""
    text = data.decode(encoding, "ignore")
    return text if _TELLING.search(text) else ""
