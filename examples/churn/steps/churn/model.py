"""Logistic regression in plain Python: small enough to read, and nothing to install."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Model = Mapping[str, float]
"""The weight of each feature, and the bias."""

BIAS = "bias"


def probability(model: Model, row: Mapping[str, float]) -> float:
    """How likely a customer leaves."""
    score = model[BIAS] + sum(weight * row[name] for name, weight in model.items() if name != BIAS)
    return 1 / (1 + math.exp(-score))


def fit(
    rows: Sequence[Mapping[str, float]], left: Sequence[int], rounds: int = 300, rate: float = 1.0
) -> Model:
    """The weights that gradient descent finds; the features should lie between 0 and 1."""
    model = dict.fromkeys((*rows[0], BIAS), 0.0)
    for _ in range(rounds):
        slope = dict.fromkeys(model, 0.0)
        for row, actual in zip(rows, left, strict=True):
            error = probability(model, row) - actual
            slope[BIAS] += error
            for name, value in row.items():
                slope[name] += error * value
        for name in model:
            model[name] -= rate * slope[name] / len(rows)
    return model


def auc(scores: Sequence[float], left: Sequence[int]) -> float:
    """How often a customer who left got a higher score than one who stayed; 0.5 is chance."""
    gone = [score for score, actual in zip(scores, left, strict=True) if actual]
    there = [score for score, actual in zip(scores, left, strict=True) if not actual]
    if not gone or not there:
        raise ValueError("needs customers who left and customers who stayed")
    better = sum((a > b) + 0.5 * (a == b) for a in gone for b in there)
    return better / (len(gone) * len(there))
