"""Patterns that are compiled late are patterns all the same."""

import copy
import re
from unittest.mock import patch

from canary.patterns import late


def test_nothing_is_compiled_before_it_is_asked_for():
    with patch.object(re, "compile", side_effect=AssertionError):
        late("(")


def test_a_late_pattern_does_what_a_pattern_does():
    made, plain = late("([a-z]+)", re.I), re.compile("([a-z]+)", re.I)
    for name in ("search", "match", "findall", "split"):
        assert str(getattr(made, name)("7 Ab c")) == str(getattr(plain, name)("7 Ab c"))
    assert made.sub(r"<\1>", "7 Ab") == plain.sub(r"<\1>", "7 Ab")
    assert (made.pattern, made.flags) == (plain.pattern, plain.flags)
    assert late(rb"\d+").findall(b"1a22") == [b"1", b"22"]


def test_what_was_asked_for_once_is_kept():
    made = late("a")
    search = made.search
    with patch.object(re, "compile", side_effect=AssertionError):
        assert made.search is search


def test_a_copy_is_a_pattern():
    assert copy.copy(late("a+")).findall("aab") == ["aa"]
