"""Make requirements/*.lock from pyproject.toml, or tell with --check whether they are in step with it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"run": ("build",), "dev": ("dev",)}
HOST = re.compile(r"\w+://|--(index|extra-index|find-links)|@ ")


def asked() -> str:
    """Digest what pyproject.toml asks for: a lock made for another digest is out of step."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    asked_for = {
        "dependencies": project["project"]["dependencies"],
        "groups": project["dependency-groups"],
        "python": project["project"]["requires-python"],
        "build": project["build-system"]["requires"],
        "overrides": project["tool"]["uv"]["override-dependencies"],
    }
    return hashlib.sha256(json.dumps(asked_for, sort_keys=True).encode()).hexdigest()


def lock_path(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def make(name: str, groups: tuple[str, ...]) -> None:
    """Resolve for every platform and Python; what is locked already stays unless --upgrade is given."""
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--universal"]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate"]
    command += ["--python-version", "3.11", "--custom-compile-command", f"make lock\n# asked: {asked()}"]
    command += [part for group in groups for part in ("--group", group)]
    command += ["--constraint", "requirements/run.lock"] if name != "run" else []
    command += ["--upgrade"] if "--upgrade" in sys.argv and name == "run" else []
    command += ["pyproject.toml", "--output-file", f"requirements/{name}.lock"]
    subprocess.run(command, cwd=ROOT, check=True)


def faults(name: str) -> list[str]:
    """List what is wrong with a lock: absent, out of step, naming a host, or a pin without a digest."""
    path = lock_path(name)
    if not path.exists():
        return [f"{path.name} is missing"]
    text = path.read_text("utf-8")
    found = [] if f"# asked: {asked()}" in text else [f"{path.name} is out of step with pyproject.toml"]
    found += [f"{path.name} names a place: {line}" for line in text.splitlines() if HOST.search(line)]
    pins = re.findall(r"^\S+==\S+.*$", text, re.MULTILINE)
    return found + [f"{path.name}: no digest for {pin}" for pin in pins if not pin.endswith("\\")]


def main() -> int:
    if "--check" not in sys.argv:
        for name, groups in LOCKS.items():
            make(name, groups)
    found = [fault for name in LOCKS for fault in faults(name)]
    for fault in found:
        print(f"error: {fault}\nhint: make lock", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
