"""The processes of an ML Job: its launcher, forked from the warm parent if possible, and the nodes of its cluster."""

from __future__ import annotations

import importlib.util
import secrets
import socket
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sfml_local.core.errors import not_emulated
from sfml_local.processes import as_main, ray_node
from sfml_local.processes.children import Start, Supervised, run_child
from sfml_local.services.jobs import store as job_store
from sfml_local.services.jobs.environment import Environment
from sfml_local.services.jobs.queries import instance_log
from sfml_local.services.jobs.store import DONE, FAILED, Job
from sfml_local.services.routines.procedures import warm_parent_of

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

READ_BY_LIBRARIES = (
    *("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "TZ", "LC_", "LANG"),
    *("OMP_", "OPENBLAS_", "MKL_", "BLIS_", "NUMEXPR_", "VECLIB_", "NPY_", "ARROW_", "PANDAS_"),
    *("SNOWFLAKE_", "SF_", "IN_SPCS_", "USE_OPTIMIZED_", "REQUESTS_", "SSL_", "CURL_"),
)
"""Prefixes of variables that Python, or a library of the warm parent, reads when it is loaded."""


@dataclass(frozen=True, slots=True)
class Launch:
    """The command of each instance: a launcher with its arguments, its environment and variables."""

    launcher: Path
    arguments: tuple[str, ...]
    environment: Environment | None
    env: Mapping[str, str]
    given: frozenset[str]
    """The names of the job's variables."""

    @property
    def command(self) -> list[str]:
        python = sys.executable if self.environment is None else self.environment.python
        return [python, as_main.__file__, str(self.launcher), *self.arguments]


def demand_ray(instances: int, required: frozenset[str]) -> None:
    """Refuse several instances on systems where they cannot be connected."""
    if instances == 1:
        return
    if sys.platform != "linux":
        raise not_emulated(
            f"an ML Job on {instances} instances: Ray has several nodes on one machine on Linux"
        )
    if importlib.util.find_spec("ray") is None and "ray" not in required:
        raise not_emulated(
            f"an ML Job on {instances} instances without Ray (pip install 'sfml-snowflake[ray]')"
        )


def run_instances(
    account: Account,
    session: Session,
    job: Job,
    launch: Launch,
    instances: int,
    *,
    cancel: threading.Event,
    timeout: float | None,
) -> int:
    """Run a job's processes until the first one ends, then end the others; returns its exit code."""
    if instances == 1 and job.target_instances == 1:
        return _run(
            account,
            session,
            launch.command,
            launch.env,
            job=job,
            cancel=cancel,
            timeout=timeout,
            start=_start(account, launch),
        )
    head, port = _cluster_address()
    env = {
        # No workers in reserve: Ray would start one for each core of each node, and the nodes share one machine.
        "RAY_prestart_worker_first_driver": "0",
        **launch.env,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    node = [launch.command[0], ray_node.__file__, head, str(port)]
    over = threading.Event()

    def stay(number: int) -> None:
        place = {**env, "SNOWFLAKE_JOB_INDEX": str(number)}
        code = _run(account, session, [*node, str(number)], place, job=job, cancel=over, number=number)
        if not over.is_set():
            job_store.instance_ended(account, job, number, DONE if code == 0 else FAILED)

    threads = [
        threading.Thread(target=stay, args=(number,), name=f"{job.name.name}-{number}", daemon=True)
        for number in range(1, instances)
    ]
    for thread in threads:
        thread.start()
    try:
        command = [*node, "0", *launch.command]
        start = _start(account, launch)
        return _run(account, session, command, env, job=job, cancel=cancel, timeout=timeout, start=start)
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _run(
    account: Account,
    session: Session,
    command: list[str],
    env: Mapping[str, str],
    *,
    job: Job,
    cancel: threading.Event,
    timeout: float | None = None,
    number: int = 0,
    start: Start = Supervised,
) -> int:
    log = instance_log(account, job, number)
    return run_child(
        account,
        session,
        command,
        env={**env, as_main.SPANS: str(log.with_suffix(".spans"))},
        log=log,
        cwd=Path(job.mount) / "app",
        cancel=cancel,
        timeout=timeout,
        start=start,
    )


def _start(account: Account, launch: Launch) -> Start:
    """The warm parent; None if its loaded modules would differ from those of a new process."""
    if launch.environment is not None or any(name.startswith(READ_BY_LIBRARIES) for name in launch.given):
        return Supervised
    return warm_parent_of(account).start


def _cluster_address() -> tuple[str, int]:
    """An unused loopback address for the first instance, and a free port."""
    head = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.1"
    with socket.socket() as free:
        free.bind(("", 0))
        return head, int(free.getsockname()[1])
