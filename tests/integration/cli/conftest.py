"""The command line as a person meets it: one call, its status, what it said and what it wrote."""

import contextlib
import io
import json
import shutil
from dataclasses import dataclass

import pytest

from canary.cli.main import run


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        lines = self.err.splitlines()
        assert len(lines) >= 2, self.err
        assert lines[-2].startswith("error: "), self.err
        assert lines[-1].startswith("hint: "), self.err
        return lines[-2].removeprefix("error: ")


@pytest.fixture
def say():
    def call(*argv):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run([str(word) for word in argv])
        return Said(status, out.getvalue(), err.getvalue())

    return call


@pytest.fixture
def canary(say, tmp_path, monkeypatch):
    """Commands on a fresh home, in a folder of their own; a failure ends the test unless a status is expected."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANARY_HOME", str(tmp_path / "home"))

    def call(*argv, status=0):
        said = say(*argv)
        assert said.status == status, f"{argv} gave {said.status}: {said.err}"
        return said

    call("init")
    return call


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Where a module keeps what takes long to make; empty at first."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def made_once(shelf, tmp_path):
    """Make the content of the test's folder, home and all, or take it from the shelf."""

    def make(work):
        made = shelf / "made"
        if not made.exists():
            work()
            shutil.copytree(tmp_path, made)
            return
        shutil.rmtree(tmp_path / "home")
        shutil.copytree(made, tmp_path, dirs_exist_ok=True)

    return make
