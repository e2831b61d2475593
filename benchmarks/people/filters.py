"""Filters of one who knows how canary works: withdrawn county codes, dead phone blocks, rare domains, odd aliases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

SPENT = 0.01  # share of real rows a filter may cost


def filters(columns: Mapping[str, Sequence[str]], truth: np.ndarray, rows: np.ndarray) -> dict[str, float]:
    """Give, for each filter the table has a column for, the share of canaries it removes at ≤ 1 % of real rows."""
    found = {}
    for name, column, score in _known(columns):
        scores = np.array([score(columns[column][row]) for row in rows.tolist()])
        found[name] = _removed(scores, truth)
    return found


def _known(columns: Mapping[str, Sequence[str]]) -> list[tuple[str, str, Callable[[str], float]]]:
    made: list[tuple[str, str, Callable[[str], float]]] = []
    for column in columns:
        if "手机" in column or "电话" in column:
            made.append(("dead phone blocks", column, _dead))
        if "身份证" in column and not any("*" in cell for cell in columns[column][:50]):
            made.append(("withdrawn county codes", column, _withdrawn))
        if "邮箱" in column:
            counts = Counter(cell.partition("@")[2] for cell in columns[column])
            made.append(("rare domains", column, partial(_rare, counts)))
            made.append(("common domains that are no provider", column, partial(_private, counts)))
            made.append(
                ("digits in aliases", column, lambda cell: len(re.sub(r"\D", "", cell.partition("@")[0])))
            )
            made.append(("dots and digits in aliases", column, _odd))
            made.append(("long aliases", column, lambda cell: float(len(cell.partition("@")[0]))))
            made.append(("long aliases on domains that are no provider", column, partial(_long, counts)))
            made.append(("letters of aliases", column, _letters(columns[column])))
    return made


def _dead(phone: str) -> float:
    import phonenumbers

    try:
        return float(not phonenumbers.is_valid_number(phonenumbers.parse(phone, "CN")))
    except phonenumbers.NumberParseException:
        return 1.0


def _withdrawn(number: str) -> float:
    from benchmarks.people.judges import withdrawn_code

    return float(withdrawn_code(number))


def _rare(counts: Counter[str], mail: str) -> float:
    return -float(counts[mail.partition("@")[2]])


def _private(counts: Counter[str], mail: str) -> float:
    domain = mail.partition("@")[2]
    known = {"qq.com", "163.com", "126.com", "gmail.com", "outlook.com", "sina.com", "foxmail.com"}
    return 0.0 if domain in known else float(counts[domain])


def _long(counts: Counter[str], mail: str) -> float:
    """Score a mail by its domain where it is no provider's, and by its length there."""
    return 100.0 * len(mail.partition("@")[0]) * bool(_private(counts, mail)) + _private(counts, mail)


def _letters(mails: Sequence[str]) -> Callable[[str], float]:
    """Score the pairs of letters of an alias by how rare they are in all aliases of the file."""
    heads = [re.sub(r"\d", "0", mail.partition("@")[0]) for mail in mails]
    pairs = Counter(pair for head in heads for pair in zip(f"^{head}", f"{head}$", strict=True))
    total = pairs.total()

    def rare(mail: str) -> float:
        head = re.sub(r"\d", "0", mail.partition("@")[0])
        odds = [np.log(total / (pairs[pair] + 1)) for pair in zip(f"^{head}", f"{head}$", strict=True)]
        return float(np.mean(odds))

    return rare


def _odd(mail: str) -> float:
    head = mail.partition("@")[0]
    return float(bool(re.search(r"\d{2}\.?[a-z]+\d{4}$|\.\d{4}$|\d\.[a-z]", head)))


def _removed(scores: np.ndarray, truth: np.ndarray) -> float:
    """Give the share of canaries beyond the best limit, on either side, that costs at most 1 % of the real rows."""
    best = 0.0
    for side in (scores, -scores):
        for limit in np.unique(side):
            if (side[truth == 0] >= limit).mean() <= SPENT:
                best = max(best, float((side[truth == 1] >= limit).mean()))
    return best
