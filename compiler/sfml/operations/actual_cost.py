"""What pipelines of a target really cost, read from the account's views."""

from __future__ import annotations

from collections.abc import Sequence

from sfml.base.quoting import raw
from sfml.cost.actual import Spent
from sfml.cost.estimate import Estimate
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.operations.target_account import target_connection
from sfml.operations.target_watch import TargetWatch
from sfml.snowflake.metering import Metering


def spent_by(
    compiled_specs: Sequence[CompiledSpec], estimate: Estimate, days: int, watch: TargetWatch
) -> Spent:
    """What the account charged in the last days for what the estimate is about."""
    names = {
        task.name: (spec.desired.pipeline, task.task or spec.desired.pipeline)
        for spec in compiled_specs
        for task in spec.desired.all_tasks
        if task.warehouse is None
    }
    with target_connection(compiled_specs[0], watch) as connection:
        metering = Metering(connection, days)
        attributed = metering.attributed([spec.desired.pipeline for spec in compiled_specs])
        warehouses = metering.warehouses([raw(one.name) for one in estimate.machines if not one.is_pool])
        pools = metering.pools([raw(one.name) for one in estimate.machines if one.is_pool])
        serverless: dict[str, float] | None = {}
        for spec in compiled_specs:
            own = [raw(task.name) for task in spec.desired.all_tasks if task.warehouse is None]
            found = metering.serverless(spec.desired.target, own)
            serverless = None if found is None or serverless is None else {**serverless, **found}
    return Spent(
        days,
        attributed,
        warehouses,
        pools,
        serverless,
        {raw(name): owner for name, owner in names.items()},
        tuple(dict.fromkeys(metering.missing)),
    )
