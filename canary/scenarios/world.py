"""The throw-away world of a story: a home, a folder, a web site, and the public commands."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from canary.errors import OutsideError

Run = Callable[[list[str]], int]
WORKERS = 2  # commands at once, where a story lets many recipients act at the same time


@dataclass
class Truth:
    """Who really leaked; written by the acts that leak, read by the final comparison alone."""

    guilty: set[str] = field(default_factory=set)
    releases: set[str] = field(default_factory=set)


def captured(run: Run, words: list[str]) -> Any:
    """Run one command and give the JSON it wrote; raises StoryError where it failed."""
    spoken, talk = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(spoken), contextlib.redirect_stderr(talk):
        status = run(words)
    if status != 0:
        raise StoryError(words, talk.getvalue())
    return json.loads(spoken.getvalue())


@dataclass
class World:
    """Everything a story acts on; nothing in it is evidence but what the commands themselves find."""

    folder: Path
    run: Run
    say: Callable[[str], None]
    scale: float
    rng: random.Random
    truth: Truth = field(default_factory=Truth)
    copies: dict[str, list[Path]] = field(default_factory=dict)
    plans: dict[str, range] = field(default_factory=dict)
    leaked: list[Path] = field(default_factory=list)
    leaks: list[Path] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    answers: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """The home of the story."""
        return self.folder / "home"

    @property
    def stage(self) -> Path:
        """The home that makes the data of the story: it owns no contacts, so real rows share none with canaries."""
        return self.folder / "stage"

    def command(self, *argv: str | Path | float, home: Path | None = None) -> Any:
        """Run one public command with --json and give what it wrote; an error ends the story."""
        return captured(self.run, [*map(str, argv), "--home", str(home or self.home), "--json"])

    def together(self, calls: Iterable[Sequence[str | Path]]) -> Iterator[Any]:
        """Run commands side by side, one process a core, while `calls` still makes them; gives answers in order."""
        wordy = ([*map(str, argv), "--home", str(self.home), "--json"] for argv in calls)
        cores = min(WORKERS, os.cpu_count() or 1)
        if self.scale < 1 or cores < 2:
            yield from (captured(self.run, words) for words in wordy)
            return
        with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
            for running in [pool.submit(captured, self.run, words) for words in wordy]:
                yield running.result()

    def rows(self, count: int) -> int:
        """Scale a number of rows to the size of this telling."""
        return max(1, round(count * self.scale))


class StoryError(OutsideError):
    """A command of a story failed."""

    def __init__(self, words: list[str], talk: str) -> None:
        super().__init__(
            f"`canary {' '.join(words[:3])}` failed in the story: {talk.strip()}", "see its message"
        )
        self._made_of = words, talk

    def __reduce__(self) -> tuple[type[StoryError], tuple[list[str], str]]:
        """Let another process raise it."""
        return StoryError, self._made_of


def free_port() -> int:
    """Find a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def web_site(pages: Mapping[str, bytes]) -> Iterator[str]:
    """Serve pages over real HTTP on loopback; gives the site's URL."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
