"""Standard input, spooled so that it can be read twice."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from canary.files.outside import from_os

_CHUNK = 1 << 20


def spool_stdin(stream: BinaryIO, folder: Path) -> Path:
    """Copy a stream into a new file of mode 0600 in the folder; the caller removes it.

    Raises OutsideError where the disk or the folder fails; nothing stays then.
    """
    try:
        handle, name = tempfile.mkstemp(prefix="stdin-", dir=folder)
    except OSError as error:
        raise from_os(folder, error) from None
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            while chunk := stream.read(_CHUNK):
                file.write(chunk)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise from_os(path, error) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
