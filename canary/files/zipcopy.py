"""Zip archives copied member by member: the compressed bytes go over as they are."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import BinaryIO, cast

from canary.files.compress import Shield, Writer
from canary.files.outside import reading

_LOCAL_HEADER = 30
_CHUNK = 1 << 20
_STREAMED = 0x08  # sizes stand behind the data instead of before it
_LARGE = 1 << 30


def new_archive(file: Writer) -> zipfile.ZipFile:
    """Begin an archive on a file that only takes bytes, so that equal members give equal archives."""
    return zipfile.ZipFile(cast(BinaryIO, Shield(file)), "w", zipfile.ZIP_DEFLATED)


def copy_member(
    source: zipfile.ZipFile, member: zipfile.ZipInfo, targets: Sequence[zipfile.ZipFile], path: Path
) -> None:
    """Copy one member's compressed bytes into archives; raises OutsideError where the archive is damaged."""
    raw = cast(BinaryIO, source.fp)
    with reading(path):
        raw.seek(member.header_offset)
        header = raw.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            raise zipfile.BadZipFile("a member's header is damaged")
        raw.seek(sum(struct.unpack("<HH", header[26:30])), 1)
    fresh = [_begin(target, member) for target in targets]
    left = member.compress_size
    while left:
        with reading(path):
            chunk = raw.read(min(left, _CHUNK))
            if not chunk:
                raise zipfile.BadZipFile("a member ends too early")
        left -= len(chunk)
        for target in targets:
            cast(BinaryIO, target.fp).write(chunk)
    for target, info in zip(targets, fresh, strict=True):
        target.filelist.append(info)
        target.NameToInfo[info.filename] = info
        target.start_dir = cast(BinaryIO, target.fp).tell()


def _begin(target: zipfile.ZipFile, member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    info, file = copy(member), cast(BinaryIO, target.fp)
    info.flag_bits &= ~_STREAMED
    info.header_offset = file.tell()
    file.write(info.FileHeader())
    return info


def like(member: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Describe a member that replaces another."""
    info = zipfile.ZipInfo(member.filename, member.date_time)
    info.compress_type = member.compress_type
    info.external_attr, info.create_system = member.external_attr, member.create_system
    return info


def is_large(member: zipfile.ZipInfo) -> bool:
    """Tell whether a member may outgrow the plain zip format."""
    return member.file_size > _LARGE
