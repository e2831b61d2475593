"""Small sums over the columns of a record kind: numbers, names, + - * / //, min, max and floor, nothing else."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from canary.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64] | float

LONGEST = 200  # characters of one sum
HINT = "a sum has numbers, columns, + - * / //, brackets, min(a, b), max(a, b) and floor(a)"
Lookup = Callable[[str], "Numbers"]


def reckon(text: str, value: Lookup) -> Numbers:
    """Work out a sum, `value` giving what each name stands for; what is divided by 0 is 0.

    Raises UsageError where the text is no sum.
    """
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = _value(_tree(text), value, text)
    return _plain(np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0))


def names_in(text: str) -> set[str]:
    """Give the names a sum refers to; raises UsageError where the text is no sum."""
    asked: set[str] = set()

    def value(name: str) -> float:
        asked.add(name)
        return 1.0

    reckon(text, value)
    return asked


@lru_cache(maxsize=256)
def _tree(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise UsageError(f"a sum of {len(text)} characters", f"use at most {LONGEST}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _refused(text) from None


def _refused(text: str) -> UsageError:
    return UsageError(f"{text!r} cannot be reckoned", HINT)


def _value(node: ast.expr, value: Lookup, text: str) -> Numbers:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    name = name_of(node)
    if name:
        return value(name)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, value, text)
    if isinstance(node, ast.BinOp):
        return _joined(node, value, text)
    return _called(node, value, text)


def name_of(node: ast.expr) -> str:
    """Give the name that a node of a sum spells (`fee`, `trip.fare`), '' where it spells none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _joined(node: ast.BinOp, value: Lookup, text: str) -> Numbers:
    import numpy as np

    signs: Mapping[type[ast.operator], Callable[..., Numbers]] = {
        ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
        ast.FloorDiv: np.floor_divide,
    }  # fmt: skip
    sign = signs.get(type(node.op))
    if sign is None:
        raise _refused(text)
    return _plain(sign(_value(node.left, value, text), _value(node.right, value, text)))


def _called(node: ast.expr, value: Lookup, text: str) -> Numbers:
    import numpy as np

    calls: Mapping[str, tuple[Callable[..., Numbers], int]] = {
        "min": (np.minimum, 2), "max": (np.maximum, 2), "floor": (np.floor, 1),
    }  # fmt: skip
    if not isinstance(node, ast.Call) or node.keywords:
        raise _refused(text)
    call, wanted = calls.get(name_of(node.func), (None, 0))
    if call is None or len(node.args) != wanted:
        raise _refused(text)
    return _plain(call(*(_value(argument, value, text) for argument in node.args)))


def _plain(found: Numbers) -> Numbers:
    """Give numpy's scalars as plain numbers."""
    import numpy as np

    return float(found) if np.ndim(found) == 0 else found
