"""The wheel holds real files below canary/ alone, with everything that is needed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NEEDED = [
    "canary/py.typed",
    "canary/config/canary.toml",
    "canary/generators/__init__.py",
    "canary/monitors/__init__.py",
    "canary/cli/main.py",
    "canary/__main__.py",
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", *options, str(ROOT)]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    [path] = folder.glob("*.whl")
    return path


def held(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if ".dist-info/" not in name]


def test_everything_stands_below_canary(wheel: Path) -> None:
    assert wheel.name.startswith("canary_trace-")
    assert {name.split("/")[0] for name in held(wheel)} == {"canary"}
    assert [name for name in held(wheel) if "__pycache__" in name or name.endswith(".pyc")] == []


def test_every_file_of_the_three_folders_is_in_it(wheel: Path) -> None:
    kept = [
        f"canary/{path.relative_to(ROOT)}"
        for folder in ("generators", "monitors", "config")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    inner = [
        str(path.relative_to(ROOT))
        for pattern in ("*.py", "*.html", "*.j2", "*.toml", "*.md")
        for path in (ROOT / "canary").rglob(pattern)
        if "__pycache__" not in path.parts
    ]
    assert kept
    assert [name for name in [*NEEDED, *kept, *inner] if name not in held(wheel)] == []


def test_it_runs_from_where_it_is_unpacked(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
        entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "canary = canary.cli.main:entry" in archive.read(entry_points).decode()
    assert [path for path in tmp_path.rglob("*") if path.is_symlink()] == []
    code = "import canary, canary.settings as s; print(canary.__file__); assert s.default_text()"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PATH": "", "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.stdout.strip() == str(tmp_path / "canary" / "__init__.py"), ran.stderr
