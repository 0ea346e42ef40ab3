"""The limits of memory for SQL, and the folder on the disk for data that exceeds them.

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
from sfml_local.core.settings import Settings, read
from sfml_local.grammar.quoting import duckdb_literal

SHARE = 0.5
"""The share of the machine's memory by default; procedures, jobs and clients need the rest."""
ANSWER_PART = 4
"""What part of the memory for SQL the rows of an answer take at most: they are copied, encoded and sent."""
LEAST_MB = 64
"""With less than this, DuckDB cannot open its databases."""
_CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """DuckDB's limits of memory and disk, in megabytes, and its spill folder."""

    memory: int
    spill: int
    folder: Path

    @property
    def answer_bytes(self) -> int:
        """The most that the rows of one answer take: DuckDB does not count what is made of them for the wire."""
        return self.memory * 2**20 // ANSWER_PART


def limits_of(account_folder: Path, settings: Settings | None = None) -> MemoryLimits:
    """The limits of an account, from the settings or the machine."""
    settings = settings or read()
    elsewhere = settings.spill
    # Accounts may share a disk, but not a folder, because each empties its own.
    own = hashlib.sha256(str(account_folder.resolve()).encode()).hexdigest()[:16]
    folder = Path(elsewhere).expanduser() / f"sfml-{own}" if elsewhere else account_folder / "spill"
    memory = settings.memory_mb or int(available_mb() * SHARE)
    return MemoryLimits(max(LEAST_MB, memory), settings.spill_mb or Settings().spill_mb, folder)


def available_mb() -> int:
    """The most memory that this process can use: that of the machine, of its container, or of `ulimit`."""
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
    """Apply the limits to a DuckDB instance, and remove the files that a killed server left in the spill folder."""
    forget_spilled(limits)
    limits.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    duck.execute(f"SET GLOBAL memory_limit = '{limits.memory} MiB'")
    duck.execute(f"SET GLOBAL temp_directory = {duckdb_literal(str(limits.folder))}")
    duck.execute(f"SET GLOBAL max_temp_directory_size = '{limits.spill} MiB'")


def forget_spilled(limits: MemoryLimits) -> None:
    """Remove the spill folder, whose files are useless without their server."""
    shutil.rmtree(limits.folder, ignore_errors=True)


def too_little(cause: BaseException) -> SqlError:
    """An error that names the limit that a statement reached, and how to raise it; not a message of Snowflake."""
    reason = str(cause).partition("\n")[0].strip() or type(cause).__name__
    return SqlError(
        "The statement needs more memory than the local server may take, with what it may put on the disk "
        f"({reason}). SFML_LOCAL_MEMORY_MB and SFML_LOCAL_SPILL_MB set how much that is.",
        2,
        "53200",
    )
