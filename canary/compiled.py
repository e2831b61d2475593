"""Kernels: plain loops over bytes, compiled by numba at their first use where it is installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class Kernel(Generic[P, R]):
    """A function that numba compiles at its first call; `plain` is the same function, interpreted.

    `helpers` are plain functions of its module that it calls, each after those that it calls itself; `types` are the
    numba types of their parameters by name, where these are neither `int` nor `bool`.
    """

    def __init__(
        self,
        plain: Callable[P, R],
        helpers: Sequence[Callable[..., object]] = (),
        types: Mapping[str, str] | None = None,
    ) -> None:
        self.plain = plain
        self._helpers = helpers
        self._types = types or {}
        self._ready: Callable[P, R] | None = None
        self.__doc__ = plain.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it, compiled where that is possible."""
        if self._ready is None:
            self._ready = compile_kernel(self.plain, self._helpers, self._types)
        return self._ready(*args, **kwargs)


@cache
def is_compiled() -> bool:
    """Tell whether numba is installed."""
    return find_spec("numba") is not None


def compile_kernel(
    plain: Callable[P, R],
    helpers: Sequence[Callable[..., object]] = (),
    types: Mapping[str, str] | None = None,
) -> Callable[P, R]:
    """Compile a kernel, with a cache on disk where one can be written; gives it back as it is without numba."""
    if not is_compiled():
        return plain
    numba = import_module("numba")
    if not numba.config.CACHE_DIR:
        numba.config.CACHE_DIR = cache_folder()
    try:
        return _made(numba.njit, plain, helpers, types or {}, cache=True)
    except RuntimeError:  # no place for a cache
        return _made(numba.njit, plain, helpers, types or {}, cache=False)


def _made(
    njit: Any,
    plain: Callable[P, R],
    helpers: Sequence[Callable[..., object]],
    types: Mapping[str, str],
    *,
    cache: bool,
) -> Callable[P, R]:
    """Compile a kernel after its helpers; each of them is kept on disk where `cache` says so."""
    known: dict[str, object] = {}
    for each in helpers:
        options = {"nogil": True, "cache": cache}
        known[each.__name__] = njit(_signature(each, types), **options)(_with_globals(each, known))
    made: Callable[P, R] = njit(cache=cache, nogil=True)(_with_globals(plain, known) if known else plain)
    return made


def _signature(plain: Callable[..., object], types: Mapping[str, str]) -> str:
    """Write the numba signature of a helper: once for all calls, so that none is compiled twice."""
    kinds = {"int": "i8", "bool": "b1", "None": "void"}
    notes = {name: str(note) for name, note in plain.__annotations__.items()}
    given = ", ".join(types.get(name) or kinds[note] for name, note in notes.items() if name != "return")
    return f"{kinds[notes['return']]}({given})"


def _with_globals(plain: Callable[P, R], known: Mapping[str, object]) -> Callable[P, R]:
    """Give a copy of a function that finds compiled helpers where its module has the plain ones."""
    function = cast(FunctionType, plain)
    made = FunctionType(function.__code__, {**function.__globals__, **known}, function.__name__)
    made.__module__, made.__qualname__ = function.__module__, function.__qualname__
    return cast("Callable[P, R]", made)


def cache_folder() -> str:
    """Give the user's own cache folder, "" where there is none, or where others might write what would run here."""
    from platformdirs import user_cache_path

    folder = user_cache_path("canary", appauthor=False) / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return str(folder) if is_own(folder.stat()) else ""
    except OSError:
        return ""


def is_own(about: os.stat_result) -> bool:
    """Tell whether a file or folder is this user's, and nobody else may write it."""
    return not hasattr(os, "geteuid") or (about.st_uid == os.geteuid() and not about.st_mode & 0o022)
