"""The one small tree of errors: each has a message (what was got) and a hint (what to do)."""

from __future__ import annotations


class CanaryError(Exception):
    """An error a user can act on; shown as `error: message` and `hint: hint`, ends with `exit_status`."""

    exit_status = 3

    def __init__(self, message: str, hint: str = "run the command with --help for an example") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CanaryError):
    """The caller asked for something that does not exist or contradicts itself."""

    exit_status = 2


class OutsideError(CanaryError):
    """A file, a database or the network failed or holds something unreadable."""

    exit_status = 3


class SafetyError(CanaryError):
    """Refused, since it could harm somebody real."""

    exit_status = 4
