"""One table of settings: right types, nothing unknown, no secret in an error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from canary.errors import UsageError
from canary.monitors.parts.settings import Settings

READ = Settings(
    {
        "text": "x",
        "empty": "",
        "number": 1.5,
        "whole": 3,
        "flag": True,
        "url": "HTTPS://x",
        "listen": "[::1]:25",
    }
)


def test_good_values() -> None:
    assert (READ.text("text"), READ.text("empty", ""), READ.text("absent", "d")) == ("x", "", "d")
    assert (READ.number("number"), READ.whole("whole"), READ.whole("absent", 7)) == (1.5, 3, 7)
    assert (READ.flag("flag", False), READ.flag("absent", False)) == (True, False)
    assert READ.url("url") == "HTTPS://x"
    assert READ.listen() == ("::1", 25)
    assert READ.table("absent") is None
    READ.done()


@pytest.mark.parametrize("listen", ["", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ":٣", "x:"])
def test_bad_addresses(listen: str) -> None:
    with pytest.raises(UsageError):
        Settings({"listen": listen}).listen()


WRONG = [
    lambda read: read.number("a"), lambda read: read.whole("b"), lambda read: read.number("c"),
    lambda read: read.flag("a", True), lambda read: read.url("a"), lambda read: read.text("b"),
    lambda read: read.text("d"), lambda read: read.table("a"), lambda read: read.number("b", least=2),
    lambda read: read.text("missing"), lambda read: read.done(),
]  # fmt: skip


@pytest.mark.parametrize("ask", WRONG)
def test_bad_values_are_named_and_not_shown(ask: Callable[[Settings], object]) -> None:
    with pytest.raises(UsageError) as told:
        ask(Settings({"a": "secret", "b": 1.5, "c": True, "d": ""}))
    assert "secret" not in told.value.message + told.value.hint
