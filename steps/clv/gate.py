"""Decides whether a trained model may replace the one in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sfml_steps import Context, step


@step
def check_model_quality(
    ctx: Context,
    metrics: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
    at_least: float,
) -> Literal["promote_model", "send_alert"]:
    """Promote when held-out Spearman reaches the threshold and the model beats every baseline."""
    reasons = shortfalls(metrics, baselines, at_least)
    for reason in reasons:
        ctx.logger.warning("not promoted: %s", reason)
    if reasons:
        return "send_alert"
    ctx.logger.info(
        "promoted: spearman %.3f reaches %s and every baseline is beaten", metrics["spearman"], at_least
    )
    return "promote_model"


def shortfalls(
    metrics: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]], at_least: float
) -> list[str]:
    """Why a model may not be promoted, a sentence each; none if it may. What is no number falls short."""
    reasons = []
    if not metrics["spearman"] >= at_least:
        reasons.append(f"spearman {metrics['spearman']:.3f} is below the threshold {at_least}")
    for name, baseline in baselines.items():
        label = name.replace("_", " ")
        for metric, value in baseline.items():
            # Of errors less is better, of the others more.
            better = metrics[metric] < value if metric == "mae" else metrics[metric] > value
            if not better:
                reasons.append(f"{metric} {metrics[metric]:.3f} does not beat {label} with {value:.3f}")
    return reasons
