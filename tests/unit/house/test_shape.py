"""The shape of the code: short modules and functions, each with a docstring, tests with their own names."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("canary", "generators", "monitors")
MODULE_LINES = 400
FUNCTION_LINES = 50
KERNEL_LINES = 100  # numba compiles them: one loop over bytes, in which every call and every name costs
KERNELS = (
    "canary/scan/sweep.py",
    "canary/scan/sweepnumbers.py",
    "canary/scan/sweepodd.py",
    "canary/scan/spots.py",
)


def modules() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def line_count(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Give each function with the lines of its body, without signature (a command's options) and docstring."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            first = body[0].lineno if body else node.end_lineno or 0
            yield f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or first) - first + 1


def test_no_module_is_long() -> None:
    lengths = {str(path.relative_to(ROOT)): line_count(path) for path in modules()}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}
    assert statistics.median(lengths.values()) <= 150
    assert sum(lines > 300 for lines in lengths.values()) <= len(lengths) * 0.08


def test_no_function_is_long() -> None:
    lengths = dict(pair for path in modules() for pair in functions(path))
    most = {name: KERNEL_LINES if name.startswith(KERNELS) else FUNCTION_LINES for name in lengths}
    assert {name: lines for name, lines in lengths.items() if lines > most[name]} == {}
    assert statistics.median(lengths.values()) <= 12
    assert sum(lines > 30 for lines in lengths.values()) <= len(lengths) * 0.02


def test_every_module_says_what_it_is() -> None:
    empty = [path for path in modules() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert [str(path.relative_to(ROOT)) for path in empty] == []


def test_test_files_have_names_of_their_own() -> None:
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
