"""Files that steps write: whole by atomic rename, and never over something else unless told so."""

from __future__ import annotations

from pathlib import Path

from canary.errors import UsageError


def check_free(path: Path, *, force: bool) -> None:
    """Refuse an existing output unless force is given."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "give the name of a file")
    if path.exists() and not force:
        raise UsageError(f"{path} exists already", "choose another --output or give --force")


def write_text(text: str, path: Path, *, force: bool) -> None:
    """Write a text file whole or not at all; an identical one is left as it is."""
    from canary.files.atomic import AtomicFile

    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return
    check_free(path, force=force)
    with AtomicFile(path) as file:
        file.write(data)
        file.commit()
