"""The table of rates: complete, in order, and dated."""

from __future__ import annotations

from datetime import date

from sfml.cost.rates import EFFECTIVE, POOL, WAREHOUSE, pool_rate, warehouse_rate
from sfml.graph.expectations import PoolSize, WarehouseSize
from sfml.semantics.limits import POOL_FAMILIES, STANDARD_SIZES


def test_every_size_and_family_has_a_rate() -> None:
    assert tuple(WAREHOUSE) == STANDARD_SIZES
    assert tuple(POOL) == POOL_FAMILIES
    assert (WAREHOUSE["XSMALL"], WAREHOUSE["X6LARGE"]) == (1, 512)
    assert date.fromisoformat(EFFECTIVE).year == 2026


def test_rates_have_their_ends_in_order() -> None:
    for rate in POOL.values():
        assert rate.high is not None and 0 < rate.low <= rate.high
    second = warehouse_rate(WarehouseSize("W", "MEDIUM", 2))
    assert (second.low, second.high) == (5.0, 5.4)


def test_what_is_not_in_it_is_unknown() -> None:
    assert warehouse_rate(None).high is None
    assert pool_rate(PoolSize("P", "CPU_Y_S")).high is None
