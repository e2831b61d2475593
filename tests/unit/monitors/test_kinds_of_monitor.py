"""Kinds of monitor are found by file name and by entry point, without being imported."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from canary import monitors
from canary.errors import UsageError


def test_listing_imports_no_kind() -> None:
    code = (
        "import sys, canary.monitors as m; assert 'paste' in m.kind_names(); "
        "print([n for n in sys.modules if n.startswith('canary.monitors.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_kind_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = {
        "zlib": EntryPoint("zlib", "zlib", monitors.GROUP),
        "wrong": EntryPoint("wrong", "zlib:crc32", monitors.GROUP),
        "smtp": EntryPoint("smtp", "zlib", monitors.GROUP),
    }
    monkeypatch.setattr(monitors, "_outside", lambda: outside)
    assert "zlib" in monitors.kind_names()
    assert monitors.load_kind("zlib").__name__ == "zlib"
    assert monitors.load_kind("smtp").__name__ == "canary.monitors.smtp"
    with pytest.raises(UsageError, match="no module"):
        monitors.load_kind("wrong")
