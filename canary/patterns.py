"""Regular expressions that are compiled when they are first asked for something."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Late:
    """What stands for a pattern until then; what was asked for once it gives as quickly as the pattern itself."""

    def __init__(self, text: Any, flags: int) -> None:
        self._given = text, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(*self._given), name)
        self.__dict__[name] = found
        return found


def late(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Give a pattern for a module that has many: a short command uses one in six, and Han signs take milliseconds.

    The functions of `re` do not take it, its own methods are all there.
    """
    return cast("re.Pattern[AnyStr]", _Late(text, flags))
