"""Credits per hour, from Snowflake's Service Consumption Table of a day; nothing is looked up while `sfml` runs.

https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf, the edition that came into effect on `EFFECTIVE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sfml.cost.amount import UNKNOWN, Amount, exactly
from sfml.graph.expectations import PoolSize, WarehouseSize
from sfml.semantics.limits import STANDARD_SIZES

EFFECTIVE = "2026-05-12"
SOURCE = "https://www.snowflake.com/legal-files/CreditConsumptionTable.pdf"

MONTH_HOURS = 730
"""Hours in a month: a twelfth of 365 days."""

WAREHOUSE_MINIMUM = 60
"""Seconds that are charged each time a warehouse starts, at least."""
NODE_MINIMUM = 300
"""Seconds that are charged each time a node of a compute pool starts, at least."""

WAREHOUSE_AUTO_SUSPEND = 600
"""AUTO_SUSPEND of CREATE WAREHOUSE where it is not said, in seconds.

https://docs.snowflake.com/en/sql-reference/sql/create-warehouse"""
POOL_AUTO_SUSPEND = 3600
"""AUTO_SUSPEND_SECS of CREATE COMPUTE POOL where it is not said.

https://docs.snowflake.com/en/sql-reference/sql/create-compute-pool"""

WAREHOUSE: Mapping[str, float] = MappingProxyType({size: 2.0**at for at, size in enumerate(STANDARD_SIZES)})
"""Size → credits per hour of a standard warehouse of generation 1."""

GENERATION_2 = Amount(1.25, 1.35)
"""What generation 2 costs times generation 1: 1.25 on Azure, 1.35 on AWS and Google Cloud."""

SERVERLESS_TASK = 0.9
"""Credits of a serverless task, times those of a warehouse of its size."""


def _both(low: float, high: float) -> Amount:
    return Amount(low, high)


POOL: Mapping[str, Amount] = MappingProxyType(
    {
        "CPU_X64_XS": exactly(0.06),
        "CPU_X64_S": exactly(0.11),
        "CPU_X64_M": exactly(0.22),
        "CPU_X64_SL": exactly(0.41),
        "CPU_X64_L": exactly(0.83),
        "HIGHMEM_X64_S": exactly(0.28),
        "HIGHMEM_X64_M": exactly(1.11),
        "HIGHMEM_X64_SL": exactly(2.93),
        "HIGHMEM_X64_L": exactly(4.44),
        "GPU_NV_XS": exactly(0.25),
        "GPU_NV_S": exactly(0.57),
        "GPU_NV_SM": exactly(1.70),
        "GPU_NV_M": exactly(2.68),
        "GPU_NV_2M": exactly(3.50),
        "GPU_NV_3M": exactly(3.55),
        "GPU_NV_SL": exactly(13.50),
        "GPU_NV_L": exactly(14.12),
        "GPU_GCP_NV_L4_1_24G": exactly(0.43),
        "GPU_GCP_NV_L4_4_24G": exactly(1.94),
        "GPU_GCP_NV_A100_8_40G": exactly(11.68),
        "GEN_ARM_G1_2": exactly(0.084),
        "GEN_ARM_G1_4": exactly(0.168),
        "GEN_ARM_G1_8": exactly(0.336),
        "GEN_ARM_G1_16": exactly(0.672),
        "GEN_ARM_G1_32": exactly(1.344),
        "GEN_X64_G2_2": _both(0.086, 0.092),
        "GEN_X64_G2_4": _both(0.172, 0.184),
        "GEN_X64_G2_8": _both(0.344, 0.368),
        "GEN_X64_G2_16": exactly(0.688),
        "GEN_X64_G2_32": _both(1.376, 1.472),
        "MEM_X64_G2_8": _both(0.311, 0.392),
        "MEM_X64_G2_32": _both(1.244, 1.568),
        "MEM_X64_G2_64": _both(2.486, 3.136),
        "MEM_X64_G2_96": exactly(3.732),
        "MEM_X64_G2_192": exactly(9.408),
        "GPU_L40S_G1_8": exactly(1.58),
        "GPU_L40S_G1_16": exactly(3.16),
        "GPU_L40S_G1_48": exactly(9.48),
        "GPU_L40S_G1_192": exactly(37.92),
        "GPU_R6K_G1_8": exactly(2.537),
        "GPU_R6K_G1_16": exactly(5.074),
        "GPU_R6K_G1_32": exactly(10.148),
        "GPU_R6K_G1_48": exactly(15.222),
        "GPU_R6K_G1_96": exactly(30.444),
        "GPU_R6K_G1_192": exactly(60.888),
        "GPU_A100_G1_12": exactly(5.051),
        "GPU_A100_G1_48": exactly(20.204),
    }
)
"""Instance family → credits per hour of one node; from the cheapest cloud to the dearest where clouds differ."""


def warehouse_rate(size: WarehouseSize | None) -> Amount:
    """Credits per hour of a warehouse; generation 1 where nothing is said."""
    if size is None or size.size is None:
        return UNKNOWN
    rate = exactly(WAREHOUSE[size.size])
    return rate.times(GENERATION_2) if size.generation == 2 else rate


def pool_rate(size: PoolSize | None) -> Amount:
    """Credits per hour of one node of a pool."""
    return UNKNOWN if size is None else POOL.get(size.family, UNKNOWN)


def serverless_rate(smallest: str | None, largest: str | None) -> Amount:
    """Credits per hour of a serverless task that Snowflake sizes between the two; without a largest, unknown."""
    low = WAREHOUSE[smallest or STANDARD_SIZES[0]] * SERVERLESS_TASK
    return Amount(low, WAREHOUSE[largest] * SERVERLESS_TASK if largest else None)
