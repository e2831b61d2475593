"""Rows that are new in an export: new canaries stand among them, so that comparing it with an earlier one shows none.

Which rows an earlier export held is told by its row filter; so this works for exports that were marked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from canary.steps.held import Exports, exports
from canary.steps.tools import Tools
from canary.store import marks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from canary.files import RowBatch
    from canary.fingerprint.plan import MarkPlan
    from canary.fingerprint.prf import DatasetKeys
    from canary.generators.profile import HostProfile
    from canary.steps.marking import Scheme

    Ints = npt.NDArray[np.int64]

MORE_PLACES = 6  # times as many places are drawn, since only those beside new rows are wanted


class NewRows:
    """Finds the rows that no earlier export of some recipients held, while the table is read for other reasons."""

    def __init__(self, plan: MarkPlan, keys: DatasetKeys, known: Exports) -> None:
        self._plan, self._keys, self._known = plan, keys, known
        self._found: list[Ints] = []

    def feed(self, batch: RowBatch) -> None:
        """Look at one batch; a row without any anchor counts as an old one."""
        import numpy as np

        from canary.fingerprint.decode import flattened
        from canary.steps.marking import columns_of

        _, anchors = flattened(self._plan, self._keys, columns_of(batch, self._plan.headings))
        new = np.zeros(batch.rows.num_rows, np.bool_)
        old = new.copy()
        for number, one in enumerate(anchors):
            if one is not None:
                new |= one.valid
                for filter_ in self._known.filters.values():
                    old |= one.valid & filter_.holds(one.digests, number)
        self._found.append(batch.numbers()[new & ~old])

    def count(self) -> int:
        """Give how many rows are new."""
        return sum(map(len, self._found))

    def beside(self, positions: Sequence[int] | Ints) -> npt.NDArray[np.bool_]:
        """Tell which places, each before the row of this number, stand beside a new row."""
        import numpy as np

        rows = np.concatenate([np.zeros(0, np.int64), *self._found])
        places = np.asarray(positions, np.int64)
        return np.isin(places, rows) | np.isin(places - 1, rows)

    def first(self, profile: HostProfile) -> HostProfile:
        """Put the places beside new rows before all others."""
        import numpy as np

        order = np.argsort(~self.beside(profile.places.positions), kind="stable")
        return replace(profile, places=profile.places.chosen(order))


def new_rows(tools: Tools, scheme: Scheme | None, recipients: Sequence[str]) -> NewRows | None:
    """Give what finds new rows, None where none of the recipients has an earlier export that is recorded."""
    from canary.fingerprint.prf import dataset_keys

    if scheme is None:
        return None
    with tools.registry.read() as tx:
        known = exports(tx, tools, scheme.version, marks.inputs(tx, scheme.version, recipients))
    if not known.filters:
        return None
    return NewRows(scheme.plan, dataset_keys(scheme.secret, scheme.plan.dataset), known)
