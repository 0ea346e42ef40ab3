"""Snowflake's limits and defaults for tasks and task graphs.

https://docs.snowflake.com/en/sql-reference/sql/create-task, …/user-guide/tasks-graphs
"""

from __future__ import annotations

from collections.abc import Mapping

MAX_TASKS_PER_GRAPH = 1000
MAX_PREDECESSORS = 100
MAX_CHILDREN = 100
MAX_RETURN_VALUE_BYTES = 10_000
MAX_IDENTIFIER_LENGTH = 255
MAX_TAG_VALUE = 256
DEFAULT_TIMEOUT_MS = 3_600_000
MAX_TIMEOUT_MS = 604_800_000
DEFAULT_SUSPEND_AFTER_FAILURES = 10

INTEGER_RANGES: Mapping[str, tuple[int, int | None]] = {
    "USER_TASK_TIMEOUT_MS": (0, MAX_TIMEOUT_MS),
    "SUSPEND_TASK_AFTER_NUM_FAILURES": (0, None),
    "TASK_AUTO_RETRY_ATTEMPTS": (0, 30),
    "USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS": (10, 604_800),
}
"""Parameter → smallest and largest value (None: no upper bound)."""

WAREHOUSE_SIZES = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE")
"""The sizes that a serverless task takes, from small to large."""

_SIZE_ALIASES = {"X-SMALL": "XSMALL", "X-LARGE": "XLARGE", "X2LARGE": "XXLARGE", "2X-LARGE": "XXLARGE"}


def warehouse_size(text: str) -> str | None:
    """The warehouse size as `WAREHOUSE_SIZES` spells it, or None when a serverless task does not take it."""
    size = _SIZE_ALIASES.get(text.upper(), text.upper())
    return size if size in WAREHOUSE_SIZES else None


STANDARD_SIZES = (*WAREHOUSE_SIZES, "XXXLARGE", "X4LARGE", "X5LARGE", "X6LARGE")
"""The sizes of warehouses, from small to large; each uses twice the credits of the one before."""

_LARGE_ALIASES = {
    "X3LARGE": "XXXLARGE",
    **{f"{count}X-LARGE": size for count, size in zip((3, 4, 5, 6), STANDARD_SIZES[6:], strict=True)},
}

POOL_FAMILIES = (
    *("CPU_X64_XS", "CPU_X64_S", "CPU_X64_M", "CPU_X64_SL", "CPU_X64_L"),
    *("HIGHMEM_X64_S", "HIGHMEM_X64_M", "HIGHMEM_X64_SL", "HIGHMEM_X64_L"),
    *("GPU_NV_XS", "GPU_NV_S", "GPU_NV_SM", "GPU_NV_M", "GPU_NV_2M", "GPU_NV_3M", "GPU_NV_SL", "GPU_NV_L"),
    *("GPU_GCP_NV_L4_1_24G", "GPU_GCP_NV_L4_4_24G", "GPU_GCP_NV_A100_8_40G"),
    *("GEN_ARM_G1_2", "GEN_ARM_G1_4", "GEN_ARM_G1_8", "GEN_ARM_G1_16", "GEN_ARM_G1_32"),
    *("GEN_X64_G2_2", "GEN_X64_G2_4", "GEN_X64_G2_8", "GEN_X64_G2_16", "GEN_X64_G2_32"),
    *("MEM_X64_G2_8", "MEM_X64_G2_32", "MEM_X64_G2_64", "MEM_X64_G2_96", "MEM_X64_G2_192"),
    *("GPU_L40S_G1_8", "GPU_L40S_G1_16", "GPU_L40S_G1_48", "GPU_L40S_G1_192"),
    *("GPU_R6K_G1_8", "GPU_R6K_G1_16", "GPU_R6K_G1_32", "GPU_R6K_G1_48", "GPU_R6K_G1_96", "GPU_R6K_G1_192"),
    *("GPU_A100_G1_12", "GPU_A100_G1_48"),
)
"""The instance families of compute pools for which Snowflake publishes a rate."""


def standard_size(text: str) -> str | None:
    """The size of a warehouse as `STANDARD_SIZES` spells it, or None when there is no such size."""
    size = warehouse_size(text) or _LARGE_ALIASES.get(text.upper(), text.upper())
    return size if size in STANDARD_SIZES else None


def timeout_seconds(milliseconds: int | None) -> float:
    """USER_TASK_TIMEOUT_MS in seconds: one hour where it is not set, and for 0 the maximum of seven days."""
    if milliseconds is None:
        return DEFAULT_TIMEOUT_MS / 1000
    return (milliseconds or MAX_TIMEOUT_MS) / 1000
