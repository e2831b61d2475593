"""What git holds names no machine, no registry and no unfinished work."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# the words are put together here, so that this file does not hold them
PLACES = re.compile(
    "|".join(
        [
            r"(?<![\w.])/ro" + r"ot/",
            r"(?<![\w.])/wo" + r"rk/",
            r"(?<![\w.])/ho" + r"me/[a-z]\w*/",
            "/opt/py" + "pi",
            "py" + r"pi\.org",
            "python" + r"hosted\.org",
            "debian" + r"\.org",
            "npm" + r"js\.org",
        ]
    )
)
UNFINISHED = re.compile(
    "|".join(
        [
            r"\bTO" + r"DO\b",
            r"\bFIX" + r"ME\b",
            "raise NotImpl" + "ementedError",
            r"pytest\.(importor)?sk" + "ip",
        ]
    )
)


def kept_files() -> list[Path]:
    """List what git holds or would hold."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def lines_with(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    found = []
    for path in files:
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    return found


def test_nothing_names_a_machine_or_registry() -> None:
    assert lines_with(PLACES, kept_files()) == []


def test_nothing_is_left_unfinished() -> None:
    python = [path for path in kept_files() if path.suffix == ".py"]
    assert lines_with(UNFINISHED, python) == []


@pytest.mark.parametrize("line", ["see /ro" + "ot/x", "at /ho" + "me/li/x", "from python" + "hosted.org"])
def test_the_pattern_finds_places(line: str) -> None:
    assert PLACES.search(line)


@pytest.mark.parametrize("line", ["home/user", "https://x.example/work/1", "--home DIR", "tests/root/"])
def test_the_pattern_leaves_other_words(line: str) -> None:
    assert not PLACES.search(line)


def test_the_three_folders_are_reached_by_relative_links() -> None:
    for name in ("generators", "monitors", "config"):
        link = ROOT / "canary" / name
        assert link.is_symlink()
        assert str(link.readlink()) == f"../{name}"


def test_scripts_may_be_run() -> None:
    scripts = [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci" / "run"]
    assert [path.name for path in scripts if not path.stat().st_mode & 0o100] == []
