"""Reading one table of settings: every key is known, has the right type, and is asked for once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from canary.errors import UsageError

_MUST: Final = object()


class Settings:
    """A table of config.toml; its readers raise UsageError that names the key, `done` for unknown ones."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self._read: set[str] = set()

    def _get(self, key: str, default: object, wanted: str) -> object:
        self._read.add(key)
        value = self._values.get(key, default)
        if value is _MUST:
            raise UsageError(f"the setting {key!r} is missing", f"give it as {wanted}")
        return value

    def text(self, key: str, default: object = _MUST) -> str:
        """Read a text that is not empty unless its default is."""
        value = self._get(key, default, "text")
        if not isinstance(value, str) or (not value and default is _MUST):
            raise UsageError(f"the setting {key!r} is {_shown(value)}", "give it as text")
        return value

    def number(self, key: str, default: object = _MUST, least: float = 0, most: float = 1e12) -> float:
        """Read a number within its bounds."""
        value = self._get(key, default, "a number")
        good = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
        if not good:
            raise UsageError(
                f"the setting {key!r} is {_shown(value)}", f"give a number of at least {least:g}"
            )
        return float(value)  # type: ignore[arg-type]

    def whole(self, key: str, default: object = _MUST, least: int = 0) -> int:
        """Read a whole number of at least `least`."""
        value = self.number(key, default, least)
        if value != int(value):
            raise UsageError(f"the setting {key!r} is {value:g}", "give a whole number")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        """Read true or false."""
        value = self._get(key, default, "true or false")
        if not isinstance(value, bool):
            raise UsageError(f"the setting {key!r} is {_shown(value)}", "give true or false")
        return value

    def url(self, key: str, default: object = _MUST) -> str:
        """Read an http or https address."""
        value = self.text(key, default)
        if not value.lower().startswith(("http://", "https://")):
            raise UsageError(
                f"the setting {key!r} is no http or https address",
                "give one such as https://example.org/feed",
            )
        return value

    def listen(self, key: str = "listen") -> tuple[str, int]:
        """Read an address:port to listen on; port 0 lets the system choose."""
        host, colon, port = self.text(key).rpartition(":")
        if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            raise UsageError(f"the setting {key!r} is no address:port", "give one such as 127.0.0.1:2525")
        return host.strip("[]"), int(port)

    def table(self, key: str) -> Settings | None:
        """Read a table below this one, None where it is absent."""
        value = self._get(key, None, "a table")
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise UsageError(f"the setting {key!r} is {_shown(value)}", f"give it as a table [….{key}]")
        return Settings(value)

    def words(self, key: str) -> tuple[str, ...]:
        """Read a list of texts, none where it is absent."""
        value = self._get(key, (), "a list of texts")
        if not isinstance(value, list | tuple) or not all(isinstance(one, str) and one for one in value):
            raise UsageError(f"the setting {key!r} is no list of texts", 'give it as ["one", "another"]')
        return tuple(value)

    def all_texts(self) -> dict[str, str]:
        """Read the whole table as texts."""
        return {key: self.text(key) for key in self._values}

    def done(self) -> None:
        """Raise UsageError where keys are left that nobody asked for."""
        if unknown := sorted(self._values.keys() - self._read):
            known = ", ".join(sorted(self._read)) or "none"
            raise UsageError(f"unknown setting {unknown[0]!r}", f"known settings: {known}")


def _shown(value: object) -> str:
    """Name the type of a wrong value and never the value: it may be a secret."""
    return "empty" if value == "" else f"of type {type(value).__name__}"
