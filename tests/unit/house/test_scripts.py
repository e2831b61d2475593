"""The scripts behind `make test` install what is missing where they may, and say by name what is left out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ("bash", "dirname", "env", "sed", "rm", "cat", "chmod", "touch")
APT = """#!/usr/bin/env bash
echo "$*" >> "{log}"
if [[ "$*" == *install* && ! -e "{updated}" ]]; then exit 100; fi
if [[ "$*" == *update* ]]; then touch "{updated}"; fi
if [[ "$*" == *install* ]]; then printf '#!/bin/sh\\n' > "{bin}/swaks"; chmod +x "{bin}/swaks"; fi
"""


class Machine:
    """A machine of stubs: it has all that tests talk to but swaks, and what else a test gives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        for server in ("initdb", "mariadbd", "sipp", "dovecot", "rsyslogd", "postfix"):
            self.program(server, "")
        self.program("id", "echo 0")

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text if text.startswith("#!") else f"#!/usr/bin/env bash\n{text}\n")
        path.chmod(0o755)

    def apt(self, user: str) -> Path:
        log = self.folder / "apt.log"
        self.program("apt-get", APT.format(log=log, updated=self.folder / "updated", bin=self.bin))
        self.program("id", f"echo {user}")
        return log

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "scripts" / script)]
        return subprocess.run(
            command, env={"PATH": str(self.bin), **environment}, capture_output=True, text=True
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_is_missing_is_named_where_nothing_can_be_installed(machine: Machine) -> None:
    assert machine.run("servers.sh").stdout.split() == ["swaks"]


def test_nothing_is_missing_where_everything_is(machine: Machine) -> None:
    machine.program("swaks", "")
    assert machine.run("servers.sh").stdout == ""


def test_root_installs_what_is_missing_after_an_update(machine: Machine) -> None:
    log = machine.apt(user="0")
    assert machine.run("servers.sh").stdout == ""
    told = log.read_text().splitlines()
    assert [line.split()[-1] for line in told] == ["swaks", "update", "swaks"]
    assert all("postgresql" not in line and "mariadb" not in line for line in told)


def test_a_user_without_rights_installs_nothing_and_starts_nothing_that_needs_them(machine: Machine) -> None:
    log = machine.apt(user="1000")
    assert sorted(machine.run("servers.sh").stdout.split()) == ["postfix", "swaks"]
    machine.program("sudo", "exit 1")
    assert sorted(machine.run("servers.sh").stdout.split()) == ["postfix", "swaks"]
    assert not log.exists()


def test_sudo_without_a_password_is_used(machine: Machine) -> None:
    log = machine.apt(user="1000")
    machine.program("sudo", 'shift; [ "$1" = true ] || exec "$@"')
    assert machine.run("servers.sh").stdout == ""
    assert "install" in log.read_text()


def test_what_is_left_out_is_told_with_its_tests(machine: Machine) -> None:
    fake = machine.folder / ".venv" / "bin"
    fake.mkdir(parents=True)
    (fake / "python").write_text('#!/usr/bin/env bash\necho "python $*"\n')
    (fake / "python").chmod(0o755)
    ran = machine.run("test.sh")
    listed, suite, combined, reported = (line for line in ran.stdout.splitlines() if "python" in line)
    assert ran.returncode == 0
    assert "left out: swaks" in ran.stdout
    assert "--collect-only" in listed
    assert "-m swaks and not soak" in listed
    assert "coverage run -m pytest" in suite
    assert "-m not soak and not swaks" in suite
    assert ("combine" in combined, "report" in reported) == (True, True)


@pytest.mark.parametrize(("failing", "status"), [("pytest", 5), ("report", 2), ("neither", 0)])
def test_a_failing_test_and_too_little_coverage_both_fail(
    machine: Machine, failing: str, status: int
) -> None:
    machine.program("swaks", "")
    fake = machine.folder / ".venv" / "bin"
    fake.mkdir(parents=True)
    lines = ["#!/usr/bin/env bash", f'case "$*" in *{failing}*) exit {status};; esac']
    (fake / "python").write_text("\n".join(lines) + "\n")
    (fake / "python").chmod(0o755)
    assert machine.run("test.sh").returncode == status


def test_under_ci_a_missing_program_is_a_failure(machine: Machine) -> None:
    ran = machine.run("test.sh", CI="true")
    assert ran.returncode == 3
    assert ran.stdout == ""
    assert "error: swaks is missing" in ran.stderr
