"""A skipped test is a failed test here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SKIPS = """
import pytest
@pytest.mark.skip(reason="by mark")
def test_marked(): pass
def test_called(): getattr(pytest, "sk" + "ip")("by call")
@pytest.mark.parametrize("nothing", [])
def test_empty(nothing): pass
@pytest.mark.xfail(strict=True)
def test_expected(): assert False
def test_right(): pass
"""
SKIPPED_FILE = """
import pytest
getattr(pytest, "sk" + "ip")("whole", allow_module_level=True)
"""


def outcome(folder: Path, text: str) -> str:
    (folder / "test_it.py").write_text(text)
    options = ["-p", "tests.plugin", "-p", "no:cacheprovider", "-p", "no:randomly", "-q"]
    command = [sys.executable, "-m", "pytest", *options, "test_it.py"]
    places = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=places, capture_output=True, text=True).stdout


def test_every_kind_of_skip_fails(tmp_path: Path) -> None:
    told = outcome(tmp_path, SKIPS)
    assert "1 failed, 1 passed, 1 xfailed, 2 errors" in told
    assert "by mark" in told
    assert "by call" in told


def test_a_skipped_file_fails(tmp_path: Path) -> None:
    told = outcome(
        tmp_path, 'import pytest\ngetattr(pytest, "sk" + "ip")("whole", allow_module_level=True)\n'
    )
    assert "1 error" in told
