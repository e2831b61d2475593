"""Tables in and out, streaming: real rows keep their bytes, canary rows join them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from canary.files.arrowtable import ArrowTable
    from canary.files.atomic import AtomicFile, sha256_file
    from canary.files.saving import save_rows
    from canary.files.sniff import open_table, tables_of
    from canary.files.spool import spool_stdin
    from canary.files.table import (
        CellEdits,
        Insertion,
        Marking,
        RewriteReport,
        RowBatch,
        RowEdits,
        Sink,
        Table,
        TableFormat,
    )

_HOMES = {
    "ArrowTable": "arrowtable",
    "AtomicFile": "atomic",
    "sha256_file": "atomic",
    "save_rows": "saving",
    "open_table": "sniff",
    "tables_of": "sniff",
    "spool_stdin": "spool",
    "CellEdits": "table",
    "Insertion": "table",
    "Marking": "table",
    "RowEdits": "table",
    "RewriteReport": "table",
    "RowBatch": "table",
    "Sink": "table",
    "Table": "table",
    "TableFormat": "table",
}

__all__ = [
    "ArrowTable",
    "AtomicFile",
    "CellEdits",
    "Insertion",
    "Marking",
    "RewriteReport",
    "RowBatch",
    "RowEdits",
    "Sink",
    "Table",
    "TableFormat",
    "open_table",
    "save_rows",
    "sha256_file",
    "spool_stdin",
    "tables_of",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that the command line starts without pyarrow."""
    if name not in _HOMES:
        raise AttributeError(f"module 'canary.files' has no attribute {name!r}")
    return getattr(import_module(f"canary.files.{_HOMES[name]}"), name)
