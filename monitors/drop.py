"""A folder of dumps: every file that is new or changed, and no longer being written, is one item."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canary.errors import OutsideError
from canary.model.sight import Poll
from canary.monitors.parts.cursors import read_cursor, texts, write_cursor
from canary.monitors.parts.folder import look, whole
from canary.monitors.parts.settings import Settings
from canary.ports import Fetch, Monitor

INTERVAL = 10
SELF_TEST: Final = "canary-self-test.txt"


@dataclass(frozen=True, slots=True)
class Drop:
    """One folder; links and special files in it are left alone."""

    folder: Path
    now: Callable[[], float]

    def poll(self, cursor: str | None, fetch: Fetch) -> Poll:  # noqa: ARG002 - a folder needs no network
        """Give the new and changed files; `more` while some are being written or were left for later."""
        known = texts(read_cursor(cursor).get("files"))
        news = look(self.folder, known, self.now(), lambda *file: [whole(*file)])
        return Poll(news.items, write_cursor({"files": news.files}), more=news.more)


def monitor(settings: Mapping[str, object], now: Callable[[], float] = time.time) -> Monitor:
    """Make the monitor of one folder from `path` (relative to the home)."""
    read = Settings(settings)
    made = Drop(Path(read.text("path")), now)
    read.done()
    return made


def planter(settings: Mapping[str, object]) -> Callable[[str], None]:
    """Make what plants a self-test: a file in the folder, written beside its name and renamed."""
    folder = Path(Settings(settings).text("path"))

    def plant(word: str) -> None:
        try:
            draft = folder / f".{SELF_TEST}.part"
            draft.write_text(f"{word}\n", "utf-8")
            draft.replace(folder / SELF_TEST)
        except OSError as error:
            raise OutsideError(
                f"cannot write to {folder.name!r}: {error.strerror}",
                "let the watch write there, or plant by hand",
            ) from None

    return plant
