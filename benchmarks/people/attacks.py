"""Attacks on the secrecy of canaries: a classifier that was told which rows are which, and outlier removal."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.people.features import Features

FOLDS = 5
ROUNDS = 150  # of boosting


@dataclass(frozen=True)
class Told:
    """What one seed told: the areas under the curve, and single features by how well each alone tells.

    `*_apart` are those where no person stands in both the rows told of and those judged.
    """

    boosting: float
    logistic: float
    boosting_apart: float
    logistic_apart: float
    alone: dict[str, float]


def auc(truth: np.ndarray, score: np.ndarray) -> float:
    """Give the area under the ROC curve (ties count half)."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, score))


def two_samples(
    found: Features, truth: np.ndarray, seed: int, rounds: int = ROUNDS, persons: np.ndarray | None = None
) -> Told:
    """Train both classifiers on four fifths of the rows and judge the others, five times; on one thread.

    With `persons`, a number for each row, it is done once more with all rows of one person in one fifth.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
    from threadpoolctl import threadpool_limits

    anyhow = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(found.values, truth)
    alone = {name: auc(truth, found.values[:, at]) for at, name in enumerate(found.names)}
    with threadpool_limits(1):
        both = _judged(found, truth, seed, rounds, anyhow)
        if persons is None or len(np.unique(persons)) == len(persons):
            return Told(*both, *both, alone)
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
        return Told(
            *both, *_judged(found, truth, seed, rounds, folds.split(found.values, truth, persons)), alone
        )


def _judged(
    found: Features,
    truth: np.ndarray,
    seed: int,
    rounds: int,
    split: Iterable[tuple[np.ndarray, np.ndarray]],
) -> tuple[float, float]:
    """Give the mean areas under the curve of boosting and logistic regression."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer

    boosted, logistic = [], []
    for train, test in split:
        trees = HistGradientBoostingClassifier(
            max_iter=rounds, learning_rate=0.06, max_leaf_nodes=12, min_samples_leaf=10, random_state=seed
        )
        trees.fit(found.values[train], truth[train])
        boosted.append(auc(truth[test], trees.predict_proba(found.values[test])[:, 1]))
        line = make_pipeline(
            QuantileTransformer(n_quantiles=100, random_state=seed),
            LogisticRegression(C=0.1, max_iter=500),
        )
        line.fit(found.values[train], truth[train])
        logistic.append(auc(truth[test], line.predict_proba(found.values[test])[:, 1]))
    return float(np.mean(boosted)), float(np.mean(logistic))


def outliers(found: Features, truth: np.ndarray, seed: int) -> dict[str, dict[float, float]]:
    """Give, for each way of finding outliers, the share of canaries in the most suspicious 1 % and 5 % of rows."""
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import LocalOutlierFactor
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(found.values)
    forest = (
        -IsolationForest(n_estimators=200, random_state=seed).fit(found.values).score_samples(found.values)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        near = LocalOutlierFactor(n_neighbors=20).fit(scaled)
    return {
        way: {share: _caught(score, truth, share) for share in (0.01, 0.05)}
        for way, score in (("isolation forest", forest), ("LOF", -near.negative_outlier_factor_))
    }


def _caught(score: np.ndarray, truth: np.ndarray, share: float) -> float:
    """Give the share of canaries among the rows that would be removed, by a limit set on real rows."""
    top = np.argsort(-score)[: max(1, round(share * len(score)))]
    return float(truth[top].sum() / truth.sum())
