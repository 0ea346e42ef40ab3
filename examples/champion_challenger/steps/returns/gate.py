"""Compares a challenger with the model that serves."""

from __future__ import annotations

from typing import Literal

from returns import INPUTS
from sfml_steps import Context, step


@step
def beats_champion(
    ctx: Context, score: float, held_out: str, model_name: str, gain: float = 0.0
) -> Literal["promote_challenger", "keep_champion"]:
    """Promote a challenger that is better by `gain` on the orders that both have not seen, and the first one always.

    The champion is the default version of the model. It is measured now, not remembered: orders change.
    """
    from snowflake.ml.registry import Registry

    registry = Registry(ctx.session)
    if model_name not in registry.show_models().get("name", default=[]).tolist():
        ctx.logger.info("%s has no champion yet", model_name)
        return "promote_challenger"
    champion = registry.get_model(model_name).default
    orders = ctx.session.table(held_out).to_pandas()
    answered = champion.run(orders[list(INPUTS)].astype(float), function_name="predict")
    right = answered.iloc[:, -1].astype(int).to_numpy() == orders["RETURNED"].astype(int).to_numpy()
    champions = float(right.mean())
    ctx.logger.info("champion %s %.3f, challenger %.3f", champion.version_name, champions, score)
    return "promote_challenger" if score >= champions + gain else "keep_champion"
