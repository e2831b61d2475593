"""The public Python API: a home opened for a pipeline."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from canary import wiring
from canary.steps.tools import Tools

if TYPE_CHECKING:
    import pyarrow as pa

    from canary.model.canary import Release
    from canary.model.data import Policy
    from canary.model.verdict import Trace
    from canary.steps.scan import ScanAnswer

Source = TypeVar("Source", "pa.Table", "pa.RecordBatchReader")


class Home:
    """A home of canary: registry, keys and settings; closes its registry at the end of a `with` block."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    @classmethod
    def at(cls, path: str | Path | None = None, *, database: str | None = None) -> Self:
        """Open the home at `path` (else CANARY_HOME, else the user's data folder), or its keys on another registry."""
        return cls(wiring.open_tools(wiring.home_folder(path), database))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the registry."""
        self.tools.registry.close()

    def tag(
        self,
        table: Source,
        recipient: str,
        *,
        policy: Policy | str | Path | None = None,
        dataset: str = "pipeline",
        canaries: float | None = None,
        new: bool = False,
    ) -> tuple[Source, Release]:
        """Tag a pyarrow Table or RecordBatchReader for a recipient; gives the tagged one and its release.

        The release is in the registry and the ledger before the tagged table is handed back. The same table,
        recipient and options give the same release and rows again, unless `new`.
        """
        from canary.steps.arrow import tag_arrow
        from canary.steps.policies import given

        return tag_arrow(self.tools, table, recipient, given(policy), dataset, canaries, new)

    def trace(self, *paths: str | Path) -> Trace:
        """Say who leaked these files, or this incident."""
        from canary.steps.trace import trace

        return trace(self.tools, [str(path) for path in paths])

    def scan(self, *paths: str | Path) -> ScanAnswer:
        """Find canaries in files, folders or archives; stores nothing."""
        from canary.steps.scan import scan

        return scan(self.tools, [str(path) for path in paths])

    def add_recipient(self, id: str, kind: str, name: str = "", parent: str | None = None) -> None:
        """Add a recipient (partner, account, insider or system)."""
        from canary.steps import recipients

        recipients.add(self.tools, recipients.checked(id, kind, name, parent))
