"""What goes wrong outside, told in one sentence and a hint."""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from canary.errors import OutsideError

_REASONS = {
    errno.ENOENT: ("does not exist", "check the path"),
    errno.EISDIR: ("is a folder", "give the name of a file"),
    errno.EACCES: ("may not be opened", "check the permissions of the file and its folder"),
    errno.EPERM: ("may not be opened", "check the permissions of the file and its folder"),
    errno.ENOTDIR: ("lies below something that is no folder", "check the path"),
    errno.ENAMETOOLONG: ("has too long a name", "choose a shorter name"),
    errno.ENOSPC: ("cannot be written, the disk is full", "free some space or choose another folder"),
    errno.EDQUOT: ("cannot be written, the quota is used up", "free some space or choose another folder"),
    errno.EFBIG: ("cannot be written, it grows too large", "choose a file system that takes large files"),
    errno.EROFS: ("cannot be written, the file system is read-only", "choose another folder"),
}


def from_os(path: Path, error: OSError) -> OutsideError:
    """Tell an error of the operating system; of a path below a folder that is not there, the folder is told."""
    if error.errno == errno.ENOENT and not path.parent.exists():
        return OutsideError(f"the folder {path.parent} does not exist", "make it, or choose another path")
    reason, hint = _REASONS.get(
        error.errno or 0,
        (f"failed: {error.strerror or 'the data is damaged'}", "check the file and its disk"),
    )
    return OutsideError(f"{path} {reason}", hint)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into an OutsideError."""
    try:
        yield
    except OSError as error:
        raise from_os(path, error) from None
    except UnicodeError as error:
        raise bad_text(path, error) from None
    except (EOFError, zlib.error, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        # ValueError is also the base of pyarrow's ArrowInvalid
        text = str(error).splitlines()[0][:120].rstrip(".") if str(error) else "it ends too early"
        raise OutsideError(f"{path} is damaged: {text}", "make or fetch the file again") from None


def bad_text(path: Path, error: UnicodeError) -> OutsideError:
    """Tell that text does not fit its encoding, without quoting it."""
    encoding = getattr(error, "encoding", "the encoding")
    return OutsideError(
        f"{path} holds bytes that are not {encoding}",
        "convert it to UTF-8, for example with iconv -c -t UTF-8",
    )
