"""What the environment sets of a server: read once, when its account is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TOKEN = "SFML_LOCAL_TOKEN"
"""Taken out of the environment before anything else is read, see `__main__`."""


def _setting(name: str, default: Any, shown: str, meaning: str) -> Any:
    """A field that a variable sets; `shown` is its default as the documentation tells it."""
    return field(default=default, metadata={"name": name, "shown": shown, "meaning": meaning})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one server, each with the variable that sets it; 0 and None set no limit."""

    token: str | None = _setting(
        TOKEN, None, "a new one at each start", "the token, which clients use as password"
    )
    task_workers: int = _setting(
        "SFML_LOCAL_TASK_WORKERS", 4, "4", "tasks of one graph run that run in parallel"
    )
    rest_page: int = _setting(
        "SFML_LOCAL_REST_PAGE",
        1000,
        "1000",
        "rows in a page of a REST list; longer lists have a `Link` header",
    )
    unknown_compute: str = _setting(
        "SFML_LOCAL_UNKNOWN_COMPUTE",
        "accept",
        "accept",
        "`refuse`: unknown warehouses and compute pools are refused",
    )
    processes: int = _setting(
        "SFML_LOCAL_PROCESSES",
        max(8, 2 * (os.cpu_count() or 1)),
        "twice the cores, at least 8",
        "procedures of all graphs and sessions that run in parallel, not counting those that other procedures"
        " call",
    )
    process_memory_mb: int = _setting(
        "SFML_LOCAL_PROCESS_MEMORY_MB",
        0,
        "none",
        "the data memory of each process of a procedure, function, job or model; beyond it Python raises"
        " MemoryError",
    )
    job_seconds: int = _setting("SFML_LOCAL_JOB_SECONDS", 0, "none", "how long an ML Job may run")
    process_cores: int = _setting(
        "SFML_LOCAL_PROCESS_CORES", 0, "none", "the cores that each of these may use"
    )
    logs: int = _setting(
        "SFML_LOCAL_LOGS",
        5000,
        "5000",
        "logs of procedures, jobs and models that are kept; the oldest go, none that is written to",
    )
    logs_mb: int = _setting("SFML_LOCAL_LOGS_MB", 1024, "1024", "what these logs take on the disk together")
    server_log_kb: int = _setting(
        "SFML_LOCAL_SERVER_LOG_KB",
        4096,
        "4096",
        "what the server's own log holds before a new one begins; two earlier ones are kept",
    )
    memory_mb: int = _setting(
        "SFML_LOCAL_MEMORY_MB",
        0,
        "half of the machine's, or of its container's",
        "the memory that SQL takes, of all sessions together; what finds no room is spilled",
    )
    spill: str = _setting(
        "SFML_LOCAL_SPILL",
        "",
        "`.sfml/local/spill`",
        "the folder of spilled data, which is emptied when the server starts and ends",
    )
    spill_mb: int = _setting(
        "SFML_LOCAL_SPILL_MB",
        10 * 1024,
        "10240",
        "what this folder takes; a statement that needs more ends in an error that says so",
    )
    threads: int = _setting(
        "SFML_LOCAL_THREADS",
        0,
        "the machine's cores",
        "threads in which SQL is executed, of all sessions together",
    )
    durable: int = _setting(
        "SFML_LOCAL_DURABLE",
        1,
        "1",
        "`0`: the server does not wait for the disk, as those of tests; its own death loses nothing, but a power cut"
        " can damage its files",
    )
    warm: int = _setting(
        "SFML_LOCAL_WARM",
        1,
        "1",
        "`0`: procedures and jobs start from nothing, without the [parent](decisions/0012-warm-parent.md) that has"
        " the clients in memory; models as well",
    )
    models: int = _setting(
        "SFML_LOCAL_MODELS",
        4,
        "4",
        "processes of models that are kept while nobody asks them, the latest used ones",
    )
    model_idle_seconds: int = _setting(
        "SFML_LOCAL_MODEL_IDLE_SECONDS",
        600,
        "600",
        "how long they are kept; their parent ends with the last",
    )

    @property
    def refuses_unknown_compute(self) -> bool:
        """Whether a warehouse or pool that was not created is refused, as on an account.

        By default it counts as existing, so that pipelines that name warehouses of an account run here.
        """
        return self.unknown_compute.lower() == "refuse"


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a server; what is no whole number where one is wanted is left at its default."""
    given: dict[str, Any] = {}
    for name, one in Settings.__dataclass_fields__.items():
        text = environ.get(one.metadata["name"])
        if text is None:
            continue
        if not isinstance(one.default, int):
            given[name] = text
        elif text.isascii() and text.isdigit():
            given[name] = int(text)
    return Settings(**given)
