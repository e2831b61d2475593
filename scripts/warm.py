"""Compiles every kernel once, so that no first demo, test or leak waits for it: the whole way, on a tiny table."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from canary.cli.main import run
from canary.scan.fast import SLOWLY

ROWS = 60
CHARACTERS = SLOWLY + (1 << 19)  # a leak that is long enough for the scan's kernel


def canary(home: Path, *arguments: object) -> None:
    """Run one command in a home; its talk is of no interest."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        status = run([*map(str, arguments), *(["--home", str(home)] if arguments[0] != "inspect" else [])])
    if status:
        raise SystemExit(f"warming up: canary {arguments[0]} ended with {status}: {said.getvalue()}")


def main() -> None:
    """Tag and trace."""
    with tempfile.TemporaryDirectory(prefix="canary-warm-") as name:
        folder = Path(name)
        home, table, policy = folder / "home", folder / "w.csv", folder / "policy.toml"
        canary(home, "init")
        canary(home, "recipient", "add", "acme", "--kind", "partner")
        canary(
            home, "generate", "waybill", "--count", ROWS, "--mail-domain", "people.example", "--output", table
        )
        canary(home, "inspect", table, "--output", policy)
        canary(home, "tag", table, "--policy", policy, "--recipient", "acme", "--output", folder / "acme.csv")
        head, *rows = (folder / "acme.csv").read_text("utf-8").splitlines()
        body = "\n".join(rows) + "\n"
        (folder / "leak.csv").write_text(head + "\n" + body * (CHARACTERS // len(body) + 1), "utf-8")
        canary(home, "trace", folder / "leak.csv")


if __name__ == "__main__":
    sys.exit(main())
