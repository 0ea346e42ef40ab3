"""The nodes of compute pools: each instance of a job needs one, and a job waits until its pool has enough.

Jobs get nodes in the order of their arrival.
https://docs.snowflake.com/en/developer-guide/snowpark-container-services/working-with-compute-pool
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError
from sfml_local.services.compute import store as compute

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.services.jobs.store import Job


@dataclass(slots=True)
class _Pool:
    """The jobs, by id, that have nodes of a pool, and those that wait for some."""

    taken: dict[int, int] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)


class Nodes:
    """The nodes of an account's pools, by name."""

    def __init__(self, account: Account) -> None:
        self.lock = threading.Lock()
        self.pools: dict[str, _Pool] = {}

    def pool(self, job: Job) -> _Pool:
        """The pool of a job."""
        return self.pools.setdefault(job.compute_pool, _Pool())


def most_nodes(account: Account, pool: str) -> int:
    """The maximum number of a pool's nodes; the default for a pool that was not created."""
    found = compute.find(account, "COMPUTE POOL", pool)
    settings = compute.DEFAULT_NODES if found is None else found.settings
    return int(settings.get("MAX_NODES", 1))


def demand(account: Account, pool: str, instances: int) -> None:
    """Refuse a job that needs more nodes than its pool can have."""
    if account.settings.refuses_unknown_compute:
        compute.get(account, "COMPUTE POOL", pool)
    most = most_nodes(account, pool)
    if instances > most:
        raise SqlError(
            f"Invalid ML job options: MIN_INSTANCES ({instances}) exceeds MAX_NODES ({most}) of compute pool"
            f" {pool}.",
            395018,
            "22023",
        )


def take(account: Account, job: Job, least: int) -> int:
    """Assign nodes to a job, as many as it wants or its pool can have; 0 if it must wait."""
    most = most_nodes(account, job.compute_pool)
    wanted = max(least, min(job.target_instances, most))
    nodes = account.part(Nodes)
    with nodes.lock:
        pool = nodes.pool(job)
        if job.id not in pool.waiting:
            pool.waiting.append(job.id)
        if pool.waiting[0] != job.id or sum(pool.taken.values()) + wanted > most:
            return 0
        pool.waiting.remove(job.id)
        pool.taken[job.id] = wanted
        return wanted


def leave(account: Account, job: Job) -> None:
    """Release a job's nodes, or its place in the queue."""
    nodes = account.part(Nodes)
    with nodes.lock:
        pool = nodes.pool(job)
        pool.taken.pop(job.id, None)
        if job.id in pool.waiting:
            pool.waiting.remove(job.id)
