"""Tagging tables in memory, for pipelines."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from canary.errors import OutsideError, UsageError
from canary.files import ArrowTable, Insertion
from canary.model.canary import Release
from canary.model.data import Policy
from canary.steps.copies import Source, Written
from canary.steps.planned import Planned
from canary.steps.tag import tag_source
from canary.steps.tagging import TagRequest
from canary.steps.tools import Tools
from canary.store import releases

if TYPE_CHECKING:
    from canary.files import Marking


class ArrowCopies:
    """The copy of a table in memory."""

    outputs: Sequence[str] = ("arrow",)

    def __init__(self) -> None:
        self.tagged: Any = None

    def write(self, source: Source, plans: Sequence[Planned], marking: Marking | None = None) -> Written:
        """Make the tagged table."""
        table = source.table
        if not isinstance(table, ArrowTable):
            raise UsageError("not a table in memory", "give a pyarrow Table or RecordBatchReader")
        rows = [Insertion(at, canary.row) for at, canary in plans[0].in_order()]
        self.tagged = table.rewritten(rows, marking)
        size = self.tagged.num_rows
        return Written(size - len(rows), (size,), (digest_of(self.tagged),))

    def check(self, *, force: bool) -> None:
        """Nothing stands in the way in memory."""

    def commit(self) -> None:
        """Nothing is to be moved in memory."""

    def discard(self) -> None:
        """Let the tagged table go."""
        self.tagged = None


def digest_of(table: Any) -> str:
    """Digest a table by its schema and the bytes of its Arrow stream."""
    import pyarrow as pa

    digest = hashlib.sha256()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table.combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()


def tag_arrow(
    tools: Tools,
    given: Any,
    recipient: str,
    policy: Policy | None,
    dataset: str,
    canaries: float | None,
    new: bool,
) -> tuple[Any, Release]:
    """Tag a pyarrow Table or RecordBatchReader; gives the same kind back, with its release."""
    import pyarrow as pa

    streamed = isinstance(given, pa.RecordBatchReader)
    if not streamed and not isinstance(given, pa.Table):
        raise UsageError(
            f"a {type(given).__name__} is not a table", "give a pyarrow Table or RecordBatchReader"
        )
    table = given.read_all() if streamed else given
    source = Source(ArrowTable(table), "pipeline", dataset, "", partial(digest_of, table))
    copies = ArrowCopies()
    request = TagRequest(
        "pipeline", (recipient,), "arrow", policy=policy, dataset=dataset, canaries=canaries, new=new
    )
    answer = tag_source(tools, source, request, copies)
    with tools.registry.read() as tx:
        release = releases.get(tx, str(answer.releases[0].release))
    if release is None:
        raise OutsideError("the release just made is gone", "somebody changed the registry meanwhile")
    return copies.tagged.to_reader() if streamed else copies.tagged, release
