"""Turns the figures of realism.json into plots and into the tables of docs/realism.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Found = Mapping[str, Any]
HOSTS = ("waybill", "hospital", "resume", "flights")
TARGET, LIMIT = 0.55, 0.58


def write(found: Found, docs: Path) -> None:
    """Draw every plot and fill in every table for which there are figures."""
    figures = docs / "figures"
    plots: Mapping[str, Callable[[Found, Path], None]] = {
        "auc": _auc_plot, "outliers": _outlier_plot, "marginals": _marginal_plot, "filters": _filter_plot,
    }  # fmt: skip
    for name, draw in plots.items():
        draw(found, figures / f"realism_{name}.svg")
    page = docs / "realism.md"
    text = page.read_text("utf-8")
    for name, table in _tables(found).items():
        mark = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
        text = re.sub(mark, lambda at, table=table: f"{at[1]}\n{table}\n\n{at[2]}", text, flags=re.S)
    page.write_text(text, "utf-8")


def _tables(found: Found) -> dict[str, str]:
    made = {"auc": _auc_table(found), "outliers": _outlier_table(found), "marginals": _marginal_table(found)}
    made |= {"causes": _cause_table(found)}
    made |= {"filters": _filter_table(found["filters"])} if "filters" in found else {}
    return made | {"rules": _rule_table(found)}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def _hosts(found: Found) -> list[str]:
    return [name for name in HOSTS if name in found]


def _auc_table(found: Found) -> str:
    rows = [
        [
            name,
            f"{one['rows']:,}",
            str(one["features"]),
            *(_interval(one[way]) for way in ("boosting", "logistic")),
            *(_apart(one, way) for way in ("boosting", "logistic")),
            _floor(found.get(f"{name} floor")),
        ]
        for name, one in ((name, found[name]) for name in _hosts(found))
    ]
    head = [
        "boosting: AUC (95 %)",
        "logistic: AUC (95 %)",
        "boosting, persons apart",
        "logistic, persons apart",
        "boosting, real persons in the canaries' place",
    ]
    return _table(["host", "rows", "features", *head], rows)


def _apart(one: Found, way: str) -> str:
    """Give what a classifier tells of persons it was told nothing of; nothing where no person comes again."""
    told = one.get(f"{way}_apart", one[way])
    return "–" if told == one[way] else _interval(told)


def _floor(one: Found | None) -> str:
    """Give what boosting tells where no row is a canary's, in rows drawn person by person."""
    return "–" if one is None else _spread(one["boosting"])


def _interval(one: Found) -> str:
    kept = "" if one["mean"] <= TARGET and one["high"] <= LIMIT else " **missed**"
    return _spread(one) + kept


def _spread(one: Found) -> str:
    return f"{one['mean']:.3f} ({one['low']:.3f}–{one['high']:.3f})"


def _outlier_table(found: Found) -> str:
    rows = []
    for name in _hosts(found):
        for way, shares in found[name]["outliers"].items():
            rows.append([name, way, *(f"{100 * share:.1f} %" for share in shares.values())])
    return _table(["host", "way", "in the top 1 % (limit 2 %)", "in the top 5 % (limit 10 %)"], rows)


def _marginal_table(found: Found) -> str:
    rows = []
    for name in _hosts(found):
        told = found[name]["marginals"]
        worst = min(told, key=lambda one: one["alike"])
        empty, made = max(told, key=lambda one: one["empty"]), max(told, key=lambda one: one["formats"])
        rows.append([
            name, f"{worst['alike']:.3f} ({worst['column']})", f"{100 * empty['empty']:.1f} ({empty['column']})",
            f"{made['formats']:.3f} ({made['column']})",
        ])  # fmt: skip
    head = [
        "host",
        "least KS/TV complement (≥ .9)",
        "greatest gap of empty cells, points (≤ 2)",
        "greatest TV of formats (≤ .05)",
    ]
    return _table(head, rows)


def _cause_table(found: Found) -> str:
    rows = [
        [name, "; ".join(f"{what} {auc:.2f}" for what, auc in list(found[name]["alone"].items())[:4])]
        for name in _hosts(found)
    ]
    return _table(["host", "what tells most, each alone (AUC; .5 tells nothing)"], rows)


def _filter_table(told: Found) -> str:
    rows = [
        [table, name, f"{100 * share:.0f} %"] for table, each in told.items() for name, share in each.items()
    ]
    return _table(["table", "filter", "canaries removed at ≤ 1 % of real rows"], rows)


def _rule_table(found: Found) -> str:
    rows = []
    if "rules" in found:
        one = found["rules"]
        broken = ", ".join(f"{name}: {count:,}" for name, count in one["broken"].items()) or "0"
        rows += [
            [f"hard rules broken in {one['personas']:,} personas", broken, "0"],
            ["personas a second against Faker's profile(), one core", f"{one['ratio']:.1f} ×", "≥ 20 ×"],
            [f"collisions in {one['identifiers']:,} aliases of one home", str(one["collisions"]), "0"],
            [f"aliases two homes share, of {one['identifiers']:,} each", str(one["shared"]), "0"],
        ]
    if "collision" in found:
        one = found["collision"]
        hits = f"keys {one['keys']}, phones {one['phones']}, name with address {one['homes']}"
        rows.append(
            [f"values shared with a host of {one['rows']:,} rows, {one['canaries']} canaries", hits, "0"]
        )
    if "inspect" in found:
        one = found["inspect"]
        rows.append([f"`canary inspect` on {one['rows']:,} rows of CSV", f"{one['seconds']:.0f} s", "≤ 60 s"])
    return _table(["what", "measured", "target"], rows)


def _figure(size: tuple[float, float]) -> Any:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "canary"
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot as plt

    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    path.write_text("\n".join(map(str.rstrip, path.read_text("utf-8").splitlines())) + "\n", "utf-8")


def _auc_plot(found: Found, path: Path) -> None:
    figure, axes = _figure((6.4, 3.0))
    names = _hosts(found)
    for shift, way in ((-0.12, "boosting"), (0.12, "logistic")):
        told = [found[name][way] for name in names]
        means = [one["mean"] for one in told]
        errors = [[one["mean"] - one["low"] for one in told], [one["high"] - one["mean"] for one in told]]
        axes.errorbar([at + shift for at in range(len(names))], means, errors, fmt="o", capsize=4, label=way)
    axes.axhline(TARGET, linestyle="--", linewidth=1, color="grey", label="target")
    axes.axhline(0.5, linewidth=0.6, color="lightgrey")
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("AUC, 95 % interval")
    axes.legend()
    _save(figure, path)


def _outlier_plot(found: Found, path: Path) -> None:
    figure, axes = _figure((6.4, 3.0))
    names = _hosts(found)
    for at, way in enumerate(("isolation forest", "LOF")):
        for part, share in enumerate(("0.01", "0.05")):
            told = [found[name]["outliers"][way][share] / float(share) for name in names]
            places = [spot + 0.2 * (2 * at + part) - 0.3 for spot in range(len(names))]
            axes.bar(places, told, 0.18, label=f"{way}, top {100 * float(share):g} %")
    axes.axhline(2, linestyle="--", linewidth=1, color="grey")
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("canaries caught ÷ base rate")
    axes.legend(fontsize="small")
    _save(figure, path)


def _marginal_plot(found: Found, path: Path) -> None:
    figure, axes = _figure((6.4, 3.0))
    names = _hosts(found)
    for at, name in enumerate(names):
        told = [one["alike"] for one in found[name]["marginals"]]
        axes.plot([at] * len(told), told, "o", alpha=0.5)
    axes.axhline(0.9, linestyle="--", linewidth=1, color="grey")
    axes.set_xticks(range(len(names)), names)
    axes.set_ylabel("KS/TV complement, each column")
    _save(figure, path)


def _filter_plot(found: Found, path: Path) -> None:
    if "filters" not in found:
        return
    figure, axes = _figure((6.4, 3.6))
    pairs = [
        (f"{name}\n({table})", share)
        for table, each in found["filters"].items()
        for name, share in each.items()
    ]
    axes.barh(range(len(pairs)), [100 * share for _, share in pairs])
    axes.axvline(20, linestyle="--", linewidth=1, color="grey")
    axes.set_yticks(range(len(pairs)), [name for name, _ in pairs], fontsize=4)
    axes.invert_yaxis()
    axes.set_xlabel("canaries removed at ≤ 1 % of real rows, %")
    _save(figure, path)
