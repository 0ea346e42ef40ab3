"""How much memory SQL may take, and where it puts on the disk what finds no room there.

https://duckdb.org/docs/stable/guides/performance/how_to_tune_workloads#spilling-to-disk
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from sfml_local.core.errors import SqlError
from sfml_local.grammar.quoting import duckdb_literal

MEMORY_SETTING, SPILL_SETTING, SPILL_MB_SETTING = (
    "SFML_LOCAL_MEMORY_MB",
    "SFML_LOCAL_SPILL",
    "SFML_LOCAL_SPILL_MB",
)
SHARE = 0.5
"""Of the machine's memory, unless the setting says otherwise: procedures, jobs and clients need the rest."""
LEAST_MB = 64
"""Below this DuckDB cannot even open what it keeps of databases."""
SPILL_MB = 10 * 1024
_CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """What DuckDB may take of memory and disk, in megabytes, and the folder of its own for the latter."""

    memory: int
    spill: int
    folder: Path


def limits_of(account_folder: Path) -> MemoryLimits:
    """The limits of an account, from the settings or the machine."""
    elsewhere = os.environ.get(SPILL_SETTING, "")
    # Several accounts may share a disk, but no folder: each empties its own.
    own = hashlib.sha256(str(account_folder.resolve()).encode()).hexdigest()[:16]
    folder = Path(elsewhere).expanduser() / f"sfml-{own}" if elsewhere else account_folder / "spill"
    memory = _number(MEMORY_SETTING) or int(available_mb() * SHARE)
    return MemoryLimits(max(LEAST_MB, memory), _number(SPILL_MB_SETTING) or SPILL_MB, folder)


def _number(setting: str) -> int:
    """The whole number of a setting, 0 where there is none."""
    text = os.environ.get(setting, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def available_mb() -> int:
    """The memory that this process may take at most: the machine's, its container's, or that of `ulimit`."""
    return min(_bounds()) // 2**20


def _bounds() -> Iterator[int]:
    yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in _CGROUP_FILES:
        with contextlib.suppress(OSError, ValueError):  # without a limit it says `max`
            yield int(Path(file).read_text(encoding="ascii"))
    with contextlib.suppress(ImportError, OSError):
        import resource

        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            soft, _ = resource.getrlimit(kind)
            if soft != resource.RLIM_INFINITY:
                yield soft


def bind(duck: duckdb.DuckDBPyConnection, limits: MemoryLimits) -> None:
    """Hold a DuckDB instance to the limits, and remove what a killed server left in its spill folder."""
    forget_spilled(limits)
    limits.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    duck.execute(f"SET GLOBAL memory_limit = '{limits.memory} MiB'")
    duck.execute(f"SET GLOBAL temp_directory = {duckdb_literal(str(limits.folder))}")
    duck.execute(f"SET GLOBAL max_temp_directory_size = '{limits.spill} MiB'")


def forget_spilled(limits: MemoryLimits) -> None:
    """Remove the spill folder; nothing in it outlives its server."""
    shutil.rmtree(limits.folder, ignore_errors=True)


def too_little(cause: BaseException) -> SqlError:
    """An error that says which limit a statement has reached and how to raise it; the sentence is ours."""
    reason = str(cause).partition("\n")[0].strip() or type(cause).__name__
    return SqlError(
        "The statement needs more memory than the local server may take, with what it may put on the disk "
        f"({reason}). {MEMORY_SETTING} and {SPILL_MB_SETTING} set how much that is.",
        2,
        "53200",
    )
