"""Runs the examples of a Markdown file: each `$ ` line of its console blocks, in order, in one folder.

A document shows all that is printed, or the results alone without the talk on standard error.
"""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from canary.cli.main import run as run_canary

FILE = re.compile(r"^( *)```\w+ ([\w.-]+\.\w+)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"[|<>;&*]|\$\(")


@dataclass(frozen=True)
class Example:
    """One command of a document and what the document says it prints."""

    line: int
    command: str
    expected: str


@dataclass(frozen=True)
class Answer:
    """What a command printed on both streams as they came, what of it was the result, and how it ended."""

    printed: str
    result: str
    status: int


def examples(text: str) -> Iterator[Example]:
    """Give the examples of a text: commands start with `$ ` and go on after `\\`; the rest is output."""
    for block in FENCE.finditer(text):
        if block[2] != "console":
            continue
        first = text.count("\n", 0, block.start(3)) + 1
        lines = [line.removeprefix(block[1]) for line in block[3].splitlines()]
        starts = [at for at, line in enumerate(lines) if line.startswith("$ ")]
        for at, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            command, last = lines[at][2:], at
            while command.endswith("\\"):
                last += 1
                command = command[:-1] + lines[last].strip().removeprefix(">").strip()
            yield Example(first + at, command, "\n".join(lines[last + 1 : end]).strip())


def agrees(expected: str, printed: str) -> bool:
    """Compare what was printed with what is expected, in which `...` stands for anything, lines too."""
    parts = (
        re.escape(re.sub(r"[ \t]+$", "", part, flags=re.MULTILINE)) for part in expected.strip().split("...")
    )
    plain = re.sub(r"[ \t]+$", "", printed, flags=re.MULTILINE).strip()
    return re.fullmatch("(?s:.*)".join(parts), plain) is not None


class Both(io.TextIOWrapper):
    """A standard output that is written down together with the talk, as on a terminal, and alone."""

    def __init__(self, talk: io.TextIOWrapper) -> None:
        self.alone = io.BytesIO()
        super().__init__(self.alone, "utf-8", write_through=True)
        self.talk = talk

    def write(self, text: str) -> int:
        self.talk.write(text)
        return super().write(text)


def in_process(command: str) -> Answer:
    """Run `canary …` in this process."""
    raw = io.BytesIO()
    talk = io.TextIOWrapper(raw, "utf-8", write_through=True)
    out = Both(talk)
    with redirect_stdout(out), redirect_stderr(talk):
        status = run_canary(shlex.split(command)[1:])
    return Answer(
        raw.getvalue().decode("utf-8", "replace"), out.alone.getvalue().decode("utf-8", "replace"), status
    )


def in_shell(command: str) -> Answer:
    """Run a line that is more than one canary command in a shell, with this canary and this python."""
    python = shlex.quote(sys.executable)
    start = f'canary() {{ {python} -m canary "$@"; }}\npython() {{ {python} "$@"; }}\n'
    ran = subprocess.run(["bash", "-c", start + command], capture_output=True, text=True, check=False)
    return Answer(ran.stdout + ran.stderr, ran.stdout, ran.returncode)


def carry_out(command: str) -> Answer:
    """Run one command line in the current folder."""
    plain = command.startswith("canary ") and not SHELL.search(command)
    return in_process(command) if plain else in_shell(command)


def faults(text: str, folder: Path, carry_out: Callable[[str], Answer] = carry_out) -> list[str]:
    """Run all examples of a text in `folder` and tell which went otherwise; errors must be expected.

    A block whose fence names a file (```toml gym.toml) is that file.
    """
    found = []
    for block in FILE.finditer(text):
        (folder / block[2]).write_text(block[3], "utf-8")
    with chdir(folder):
        for example in examples(text):
            answer = carry_out(example.command)
            failed = answer.status not in (0, 1) and "error:" not in example.expected
            told = agrees(example.expected, answer.printed) or agrees(example.expected, answer.result)
            if failed or not told:
                found.append(
                    f"line {example.line}: $ {example.command}\nexpected:\n{example.expected}\n"
                    f"printed (status {answer.status}):\n{answer.printed}"
                )
    return found
