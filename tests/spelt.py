"""Spellings of values as leakers, resellers and programs write them, made by the standard library alone.

Nothing here comes from the scan: what it must find is spelt by other means than those it reads with.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import quopri
import unicodedata
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Spell = Callable[[str], str]


@dataclass(frozen=True)
class Way:
    """One class of spelling: its name, the kind of value it is for, what spells it."""

    name: str
    kind: str
    spell: Spell


def wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def named(pattern: str) -> Spell:
    """Spell digits by characters that Unicode names after them."""
    names = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
    return lambda text: "".join(unicodedata.lookup(pattern.format(names[int(sign)])) for sign in text)


def numerals(table: str) -> Spell:
    return lambda text: "".join(table[int(sign)] for sign in text)


def entities(form: str) -> Spell:
    return lambda text: "".join(form.format(ord(sign)) for sign in text)


def escapes(text: str) -> str:
    return "".join(f"\\u{ord(sign):04x}" for sign in text)


def percent(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode())


def printable(text: str) -> str:
    """Spell every byte as quoted-printable has it."""
    return "".join(f"={octet:02X}" for octet in text.encode())


def soft(text: str) -> str:
    """Break a value as quoted-printable breaks a line that has become too long."""
    whole = quopri.encodestring(("电" * 8 + text).encode()).decode()
    return whole if "=\n" in whole else text[:7] + "=\n" + text[7:]


def packed(times: int) -> Spell:
    def spell(text: str) -> str:
        for _ in range(times):
            text = base64.b64encode(text.encode()).decode()
        return text

    return spell


def digest(name: str, variant: str = "{}") -> Spell:
    return lambda text: hashlib.new(name, variant.format(text).encode()).hexdigest()


def upper_digest(name: str) -> Spell:
    return lambda text: hashlib.new(name, text.encode()).hexdigest().upper()


def grouped(*marks: str) -> Spell:
    first, second = marks[0], marks[-1]
    return lambda text: text[:3] + first + text[3:7] + second + text[7:]


def at_dot(at: str, dot: str) -> Spell:
    return lambda text: text.replace("@", at).replace(".", dot)


_PHONES: Final = {
    "plain": lambda text: text,
    "hyphens": grouped("-"),
    "spaces": grouped(" "),
    "dots": grouped("."),
    "brackets": lambda text: f"({text[:3]}) {text[3:7]}-{text[7:]}",
    "every digit apart": lambda text: " ".join(text),
    "+86": lambda text: "+86" + text,
    "0086": lambda text: "0086-" + text,
    "86": lambda text: "86" + text,
    "tel:": lambda text: "tel:+86-" + grouped("-")(text),
    "sms:": lambda text: "sms:" + text,
    "vCard": lambda text: "TEL;TYPE=CELL,VOICE:" + text,
    "full-width": wide,
    "circled digits": lambda text: named("CIRCLED DIGIT {}")(text) if "0" not in text else wide(text),
    "Chinese numerals": numerals("〇一二三四五六七八九"),
    "financial numerals": numerals("零壹贰叁肆伍陆柒捌玖"),
    "numerals mixed": lambda text: numerals("零一二三四五六七八九")(text[:5]) + text[5:],
    "zero-width": "\u200b".join,
    "word joiners": lambda text: text[:3] + "\u2060" + text[3:7] + "\ufeff" + text[7:],
    "HTML entities": entities("&#{};"),
    "HTML hex entities": entities("&#x{:x};"),
    "JSON \\u": escapes,
    "percent": percent,
    "quoted-printable": printable,
    "soft line break": soft,
    "glued escape": lambda text: "\\n" + text + "\\n",
    "base64": packed(1),
    "base64 twice": packed(2),
    "base64 thrice": packed(3),
    "MD5": digest("md5"),
    "MD5 of +86": digest("md5", "+86{}"),
    "SHA-1": upper_digest("sha1"),
    "SHA-256": digest("sha256"),
    "stored as a number": lambda text: text + ".0",
    "full-width with hyphens": lambda text: wide(grouped("-")(text)),
    "entities of full-width": lambda text: entities("&#{};")(wide(text)),
    "base64 of numerals": lambda text: packed(1)(numerals("〇一二三四五六七八九")(text)),
}
_MAILS: Final = {
    "plain": lambda text: text,
    "upper case": str.upper,
    "mailto:": lambda text: "mailto:" + text,
    "[at] [dot]": at_dot(" [at] ", " [dot] "),
    "(at)": at_dot("(at)", "."),
    "at dot": at_dot(" at ", " dot "),
    "full-width": wide,
    "zero-width": lambda text: text.replace("@", "\u200b@\u200b"),
    "HTML entities": lambda text: text.replace("@", "&#64;").replace(".", "&period;"),
    "JSON \\u": lambda text: json.dumps(text).strip('"').replace("@", "\\u0040"),
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "quoted-printable": lambda text: text.replace("@", "=40").replace(".", "=2E"),
    "soft line break": lambda text: text[:9] + "=\n" + text[9:],
    "glued escape": lambda text: "%B7" + text,
    "Markdown escape": lambda text: text.replace(".", "\\.").replace("@", "\\@"),
    "base64": packed(1),
    "MD5": digest("md5"),
    "SHA-256 of upper case": lambda text: digest("sha256")(text.upper()),
}
_CODES: Final = {
    "plain": lambda text: text,
    "lower case": str.lower,
    "spaces": lambda text: f"{text[:2]} {text[2:7]} {text[7:]}",
    "hyphens": lambda text: f"{text[:2]}-{text[2:6]}-{text[6:]}",
    "full-width": wide,
    "zero-width": lambda text: text[:5] + "\u200d" + text[5:],
    "HTML entities": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "JSON \\u": escapes,
    "percent": percent,
    "quoted-printable": printable,
    "soft line break": lambda text: text[:8] + "=\n" + text[8:],
    "base64": packed(1),
    "MD5": digest("md5"),
    "SHA-1 of lower case": lambda text: digest("sha1")(text.lower()),
}
_TRADITIONAL: Final = str.maketrans(
    "区号园楼单庄兴东宁华锦广庆岛门张刘陈杨赵黄吴孙马", "區號園樓單莊興東寧華錦廣慶島門張劉陳楊趙黃吳孫馬"
)
_HOMES: Final = {
    "plain": lambda text: text,
    "traditional Chinese": lambda text: text.translate(_TRADITIONAL),
    "full-width digits": lambda text: "".join(wide(sign) if sign.isdigit() else sign for sign in text),
    "other words for floors": lambda text: text.replace("幢", "栋"),
    "HTML entities": lambda text: "".join(f"&#{ord(sign)};" if ord(sign) > 127 else sign for sign in text),
    "JSON \\u": lambda text: json.dumps(text).strip('"'),
    "percent": urllib.parse.quote,
    "quoted-printable": lambda text: quopri.encodestring(text.encode()).decode().replace("=\n", ""),
    "base64": lambda text: packed(1)("张伟，" + text),
}
WAYS: Final = [
    Way(name, kind, spell)
    for kind, spells in (("phone", _PHONES), ("mail", _MAILS), ("code", _CODES), ("home", _HOMES))
    for name, spell in spells.items()
]
assert html.unescape("&period;") == "."
