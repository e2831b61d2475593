"""Kernels: plain loops over bytes, compiled by numba at their first use where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Kernel(Generic[P, R]):
    """A function that numba compiles at its first call; `plain` is the same function, interpreted."""

    def __init__(self, plain: Callable[P, R]) -> None:
        self.plain = plain
        self._ready: Callable[P, R] | None = None
        self.__doc__ = plain.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it, compiled where that is possible."""
        if self._ready is None:
            self._ready = compile_kernel(self.plain)
        return self._ready(*args, **kwargs)


@cache
def is_compiled() -> bool:
    """Tell whether numba is installed."""
    return find_spec("numba") is not None


def compile_kernel(plain: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel, with a cache on disk where one can be written; gives it back as it is without numba."""
    if not is_compiled():
        return plain
    numba = import_module("numba")
    if not numba.config.CACHE_DIR:
        numba.config.CACHE_DIR = _cache_folder()
    try:
        made: Callable[P, R] = numba.njit(cache=True, nogil=True)(plain)
    except RuntimeError:  # no place for a cache
        made = numba.njit(cache=False, nogil=True)(plain)
    return made


def _cache_folder() -> str:
    """Give the user's own cache folder: what is compiled there is code that runs, so nobody else may write it."""
    from platformdirs import user_cache_path

    folder = user_cache_path("canary", appauthor=False) / "kernels"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return ""
    return str(folder)
