"""Evaluate: tagged copies of a person's own table are attacked, leaked and traced, in a home that is thrown away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canary.errors import UsageError
from canary.model.data import Policy
from canary.model.people import Recipient, RecipientKind
from canary.steps import decoding, inspect
from canary.steps.tag import tag
from canary.steps.tagging import TagRequest
from canary.steps.tools import Tools
from canary.steps.trace import trace
from canary.store import recipients

if TYPE_CHECKING:
    import numpy as np

    from canary.fingerprint.attacks import Leak
    from canary.fingerprint.plan import MarkPlan

MOST_COLLUDERS = 5
SUCCESSIVE, MIXED = "successive exports", "mix-and-match"  # the attacks that take a second table
COLLUDERS = (2, 3, MOST_COLLUDERS)


@dataclass(frozen=True)
class EvaluateRequest:
    """One call of `evaluate`: the table, how many recipients there are, which attacks, rows of a leak, trials each."""

    input: str
    recipients: int
    attacks: tuple[str, ...] = ()
    policy: Policy | None = None
    rows: int = 200
    trials: int = 5


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One attack at one strength: of so many trials, how many named the source, and how many an innocent one."""

    attack: str
    strength: float
    trials: int
    named: int
    innocents: int


@dataclass(frozen=True)
class Bench:
    """Two sets of copies in a home of their own: one leaker's with canaries, and the colluders' without.

    Whoever compares copies finds and drops the rows that stand in one alone. `earlier` has the leaker's copies of so
    large a first share of the table, `clean` the table as nobody got it; empty where no attack needs them.
    """

    tools: Tools
    folder: Path
    plan: MarkPlan
    single: Leak
    together: tuple[Leak, ...]
    earlier: Mapping[float, Leak]
    clean: Leak
    rng: np.random.Generator


def known_attacks() -> dict[str, tuple[float, ...]]:
    """List the attacks with the strengths at which each is tried; collusions by the number of copies."""
    from canary.fingerprint.attacks import ATTACKS, BESIDE, COLLUSIONS

    single = {name: strengths for name, (_, strengths) in (*ATTACKS.items(), *BESIDE.items())}
    return {"none": (1.0,)} | single | {name: tuple(map(float, COLLUDERS)) for name in COLLUSIONS}


def evaluate(tools: Tools, request: EvaluateRequest) -> Iterator[Evaluated]:
    """Attack copies at each strength; `tools` are of an empty home, since recipients and copies are made in it."""
    known = known_attacks()
    for name in request.attacks:
        if name not in known:
            raise UsageError(f"unknown attack {name!r}", "known: " + ", ".join(known))
    if request.recipients < MOST_COLLUDERS:
        raise UsageError(
            f"{request.recipients} recipients", f"give at least {MOST_COLLUDERS}: so many collude at most"
        )
    chosen = request.attacks or tuple(known)
    bench = _bench(tools, request, chosen)
    total = sum(len(known[name]) for name in chosen) * request.trials
    done = 0
    for name in chosen:
        for strength in known[name]:
            answers = []
            for _ in range(request.trials):
                answers.append(_trial(bench, name, strength, request.rows))
                done += 1
                tools.progress("attacking", done, total)
            yield Evaluated(
                name, strength, request.trials, sum(one for one, _ in answers), sum(two for _, two in answers)
            )


def _bench(tools: Tools, request: EvaluateRequest, chosen: Sequence[str]) -> Bench:
    import numpy as np

    from canary.fingerprint.attacks import BESIDE

    names = [f"recipient-{number}" for number in range(request.recipients)]
    with tools.registry.begin() as tx:
        recipients.add_many(tx, [Recipient(name, RecipientKind.PARTNER) for name in names])
    policy = request.policy or _proposed(request.input)
    folder = tools.folder / "copies"
    folder.mkdir(exist_ok=True)
    tagged = [_tag(tools, request, policy, names[:1], folder / "single", None),
              _tag(tools, request, policy, names[:MOST_COLLUDERS], folder / "together", 0.0)]  # fmt: skip
    plans = decoding.plans_of(tools)
    if not plans:
        raise UsageError(
            "nothing in this table can carry marks", "see what canary inspect says, or give another --policy"
        )
    copies = [tuple(map(_columns, paths)) for paths in tagged]
    clean = _columns(Path(request.input)) if set(chosen) & set(BESIDE) else {}
    earlier = {
        share: _earlier(tools, request, policy, clean, share)
        for share in (BESIDE[SUCCESSIVE][1] if SUCCESSIVE in chosen else ())
    }
    return Bench(
        tools, folder, plans[0].plan, copies[0][0], copies[1], earlier, clean, np.random.default_rng()
    )


def _earlier(tools: Tools, request: EvaluateRequest, policy: Policy, clean: Leak, share: float) -> Leak:
    """Give the leaker's copy of an earlier export, which held the first rows of the table alone."""
    path = tools.folder / "copies" / f"first-{share}.csv"
    _write(path, _piece(clean, 0, round(share * len(next(iter(clean.values()))))))
    only = replace(request, input=str(path))
    return _columns(_tag(tools, only, policy, ["recipient-0"], path.with_suffix(""), None)[0])


def _proposed(source: str) -> Policy:
    from canary.fields.policy import parse_policy

    return parse_policy(inspect.inspect(source, None).policy)


def _tag(
    tools: Tools,
    request: EvaluateRequest,
    policy: Policy,
    names: Sequence[str],
    folder: Path,
    canaries: float | None,
) -> list[Path]:
    wanted = TagRequest(
        request.input, tuple(names), str(folder), policy=policy, canaries=canaries, many=True
    )  # fmt: skip
    return [Path(one.output) for one in tag(replace(tools, progress=_quiet), wanted).releases]


def _quiet(_label: str, _done: int, _total: int | None) -> None:
    """Show nothing."""


def _columns(path: Path) -> Leak:
    """Read a copy whole, as columns of texts."""
    import numpy as np

    from canary.files import open_table

    table = open_table(path)
    cells: dict[str, list[Any]] = {name: [] for name in table.headings}
    for batch in table.batches():
        for name, column in zip(table.headings, batch.rows.columns, strict=True):
            cells[name] += [value or "" for value in column.to_pylist()]
    return {name: np.array(values, dtype=object) for name, values in cells.items()}


def _trial(bench: Bench, attack: str, strength: float, rows: int) -> tuple[bool, int]:
    """Leak one attacked piece and trace it; tells whether a source was named, and how many innocents were."""
    leak, guilty = _attacked(bench, attack, strength, rows)
    path = bench.folder / "leak.csv"
    _write(path, leak)
    answer = trace(replace(bench.tools, progress=_quiet), [str(path)])
    named = {one.recipient for one in answer.suspects if one.status == "named"}
    return bool(named & guilty), len(named - guilty)


def _attacked(bench: Bench, attack: str, strength: float, rows: int) -> tuple[Leak, set[str]]:
    from canary.fingerprint.attacks import ATTACKS, BESIDE, COLLUSIONS

    if attack in COLLUSIONS:
        count = int(strength)
        start = _start(bench, bench.together[0], rows)
        pieces = [_piece(copy, start, rows) for copy in bench.together[:count]]
        return COLLUSIONS[attack](pieces, bench.rng), {f"recipient-{number}" for number in range(count)}
    table = bench.single
    if attack == SUCCESSIVE:
        table = BESIDE[attack][0](table, bench.earlier[strength], strength, bench.rng)
    piece = _piece(table, _start(bench, table, rows), rows)
    if attack == MIXED:
        piece = BESIDE[attack][0](piece, bench.clean, strength, bench.rng)
    elif attack in ATTACKS:
        piece = ATTACKS[attack][0](bench.plan, piece, strength, bench.rng)
    return piece, {"recipient-0"}


def _start(bench: Bench, table: Leak, rows: int) -> int:
    size = len(next(iter(table.values())))
    return int(bench.rng.integers(0, max(1, size - rows + 1)))


def _piece(table: Leak, start: int, rows: int) -> Leak:
    """Give consecutive rows, so that what smooths over neighbours has its chance."""
    return {name: cells[start : start + rows] for name, cells in table.items()}


def _write(path: Path, leak: Mapping[str, Any]) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(leak)
        out.writerows(zip(*(cells.tolist() for cells in leak.values()), strict=True))
