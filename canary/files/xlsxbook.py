"""The parts of a workbook around its sheets: names, shared strings, which styles show dates."""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from canary.errors import OutsideError, UsageError
from canary.files.outside import reading as reading_errors
from canary.files.xmlparts import find_text, plain_text, tags

MAX_PART = 1 << 30  # bytes of one part that is read whole; a workbook that needs more is a zip bomb
_DATE_FORMATS = {14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58}
_BOTH_FORMATS = {22}
_TIME_FORMATS = {18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56}


@dataclass(frozen=True, slots=True)
class Book:
    """What the sheets of a workbook share; `dates` says for each style `date`, `time`, `both` or nothing."""

    sheets: dict[str, str]
    visible: tuple[str, ...]
    strings: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    epoch: datetime = field(default=datetime(1899, 12, 30))

    def moment(self, serial: str, style: int) -> str | None:
        """Give a number in a date style as text, None where the style shows no date."""
        kind = self.dates[style] if style < len(self.dates) else ""
        if not kind:
            return None
        try:
            seconds = round(float(serial) * 86_400_000) / 1000
            when = self.epoch + timedelta(seconds=seconds)
        except (ValueError, OverflowError):
            return None
        if kind == "time" and 0 <= seconds < 86_400:
            return when.time().isoformat()
        whole = when.hour == when.minute == when.second == when.microsecond == 0
        return when.date().isoformat() if kind == "date" and whole else when.isoformat(" ")

    def serial(self, text: str) -> str | None:
        """Give a date or time as Excel's number, None where the text is none."""
        for base, candidate in ((self.epoch, text), (datetime(1900, 1, 1), f"1900-01-01 {text}")):
            try:
                days = (datetime.fromisoformat(candidate).replace(tzinfo=None) - base) / timedelta(days=1)
            except ValueError:
                continue
            return str(int(days)) if days == int(days) else repr(days)
        return None


def read_book(archive: zipfile.ZipFile, path: Path) -> Book:
    """Read what the sheets share; raises OutsideError where the archive is no workbook."""
    rels = part(archive, "_rels/.rels", path)
    main = next(
        (one["Target"] for one in tags(rels, "Relationship") if one["Type"].endswith("/officeDocument")),
        "",
    )
    name = _joined("", main)
    if not name or name not in archive.namelist():
        raise OutsideError(
            f"{path} is a zip archive, but no workbook", "give an XLSX file, or the file inside"
        )
    book = part(archive, name, path)
    targets, kinds = relations(archive, name, path)
    sheets = {
        one["name"]: targets[one["id"]]
        for one in tags(book, "sheet")
        if one.get("id") in targets and "name" in one
    }
    visible = tuple(one["name"] for one in tags(book, "sheet") if one.get("state", "visible") == "visible")
    strings = next((target for key, target in targets.items() if kinds[key] == "sharedStrings"), "")
    styles = next((target for key, target in targets.items() if kinds[key] == "styles"), "")
    early = any(one.get("date1904") in ("1", "true") for one in tags(book, "workbookPr"))
    return Book(
        sheets,
        visible,
        _strings(part(archive, strings, path)),
        _dates(part(archive, styles, path)),
        datetime(1904, 1, 1) if early else datetime(1899, 12, 30),
    )


def opened_part(archive: zipfile.ZipFile, part: str | zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """Open a part for reading; zipfile says less of what it gives."""
    return cast(zipfile.ZipExtFile, archive.open(part))


def part(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    """Read a part as text, nothing where it is missing; raises OutsideError where it is too large."""
    if name not in archive.namelist():
        return ""
    if archive.getinfo(name).file_size > MAX_PART:
        raise OutsideError(f"{path} holds a part larger than {MAX_PART >> 30} GB", "export the sheet as CSV")
    data = archive.read(name)
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def relations(archive: zipfile.ZipFile, name: str, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Give the parts that a part refers to, and the kind of each, by their ids."""
    folder, base = posixpath.split(name)
    text = part(archive, posixpath.join(folder, "_rels", base + ".rels"), path)
    inside = [one for one in tags(text, "Relationship") if one.get("TargetMode") != "External"]
    targets = {one["Id"]: _joined(folder, one["Target"]) for one in inside}
    return targets, {one["Id"]: one["Type"].rpartition("/")[2] for one in inside}


def _joined(folder: str, target: str) -> str:
    return (
        target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
    )


def _strings(xml: str) -> tuple[str, ...]:
    return tuple(plain_text(item.inner) for item in find_text(xml, "si"))


def _dates(xml: str) -> tuple[str, ...]:
    """Say for every cell style whether it shows a date, a time of day, or both."""
    codes = {int(one["numFmtId"]): one.get("formatCode", "") for one in tags(xml, "numFmt")}
    formats = next((one.inner for one in find_text(xml, "cellXfs")), "")
    return tuple(_date_kind(int(one.get("numFmtId", "0")), codes) for one in tags(formats, "xf"))


def _date_kind(number: int, codes: dict[int, str]) -> str:
    if number not in codes:
        known = (("date", _DATE_FORMATS), ("both", _BOTH_FORMATS), ("time", _TIME_FORMATS))
        return next((kind for kind, numbers in known if number in numbers), "")
    code = codes[number].split(";")[0].lower()
    if re.search(r"\[[hms]+\]", code):
        return ""  # a duration
    plain = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.|general', "", code)
    date, time = re.search("[yd]|年|月|日", plain), re.search("[hs]|时|分", plain)
    if date is None and time is None:
        return "date" if re.fullmatch(r"m+", plain) else ""
    return "both" if date and time else "date" if date else "time"


def choose_sheet(book: Book, name: str | None, path: Path) -> str:
    """Choose a sheet by its name, else the first visible one; raises UsageError that lists the sheets."""
    known = ", ".join(book.sheets)
    if not book.sheets:
        raise OutsideError(f"{path} holds no sheet", "save the workbook again")
    if name is not None and name not in book.sheets:
        raise UsageError(f"{path} has no sheet {name!r}", f"its sheets: {known}")
    return name or next((one for one in book.visible if one in book.sheets), next(iter(book.sheets)))


def sheet_names(path: Path) -> tuple[str, ...]:
    """Give the names of a workbook's sheets; raises OutsideError where the file is none."""
    with reading_errors(path), zipfile.ZipFile(path) as archive:
        return tuple(read_book(archive, path).sheets)
