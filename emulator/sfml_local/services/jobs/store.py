"""ML Jobs' rows in the account's SQLite file, and waiting for them to change."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import does_not_exist
from sfml_local.core.names import ObjectName

if TYPE_CHECKING:
    from sfml_local.core.account import Account

SCHEMA = """
CREATE TABLE IF NOT EXISTS ml_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  database TEXT NOT NULL,
  schema TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  message TEXT NOT NULL DEFAULT '',
  owner TEXT NOT NULL,
  compute_pool TEXT NOT NULL,
  query_warehouse TEXT,
  comment TEXT,
  stage_path TEXT NOT NULL,
  env TEXT NOT NULL,
  mount TEXT NOT NULL,
  result_folder TEXT NOT NULL,
  query_id TEXT NOT NULL,
  created_on TEXT NOT NULL,
  completed_on TEXT,
  deleted_on TEXT,
  UNIQUE (database, schema, name)
);
CREATE TABLE IF NOT EXISTS ml_job_instances (
  job_id INTEGER NOT NULL,
  instance INTEGER NOT NULL,
  status TEXT NOT NULL,
  started_on TEXT,
  ended_on TEXT,
  PRIMARY KEY (job_id, instance)
);
"""

PENDING = "PENDING"
RUNNING = "RUNNING"
DONE = "DONE"
FAILED = "FAILED"
CANCELLED = "CANCELLED"
INTERNAL_ERROR = "INTERNAL_ERROR"
TERMINAL = frozenset({DONE, FAILED, CANCELLED, INTERNAL_ERROR})

_SELECT = (
    "SELECT *, (SELECT COUNT(*) FROM ml_job_instances WHERE job_id = ml_jobs.id) AS instances FROM ml_jobs"
)


class JobChanges:
    """Told whenever a job of an account begins or ends."""

    def __init__(self, account: Account) -> None:
        self.condition = threading.Condition()


@dataclass(frozen=True, slots=True)
class Job:
    """One execution: `mount` is the folder of its payload, `result_folder` that of its results."""

    id: int
    name: ObjectName
    status: str
    message: str
    owner: str
    compute_pool: str
    query_warehouse: str | None
    comment: str | None
    stage_path: str
    env: Mapping[str, str]
    mount: Path
    result_folder: Path
    query_id: str
    created_on: datetime
    completed_on: datetime | None
    deleted_on: datetime | None
    target_instances: int = 1

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a job; number 0 runs its code, the others are nodes of its Ray cluster."""

    number: int
    status: str
    started_on: datetime | None
    ended_on: datetime | None


def insert(account: Account, name: ObjectName, values: Mapping[str, Any], instances: int = 1) -> Job:
    """Record a job that waits for its nodes; the names of the values are columns of `ml_jobs`."""
    row = {
        "database": name.database,
        "schema": name.schema,
        "name": name.name,
        "status": PENDING,
        "created_on": account.clock().isoformat(),
        **values,
    }
    columns = ", ".join(row)
    marks = ", ".join(f":{column}" for column in row)
    with account.store.transaction() as store:
        job_id = store.execute(f"INSERT INTO ml_jobs ({columns}) VALUES ({marks})", row).lastrowid
        rows = [(job_id, number, PENDING) for number in range(instances)]
        store.executemany("INSERT INTO ml_job_instances (job_id, instance, status) VALUES (?, ?, ?)", rows)
    return get(account, name)


def _tell(account: Account) -> None:
    changed = account.part(JobChanges).condition
    with changed:
        changed.notify_all()


def started(account: Account, job: Job) -> None:
    """Record that a job has its nodes, and runs."""
    with account.store.transaction() as store:
        store.execute(
            "UPDATE ml_jobs SET status = ? WHERE id = ? AND completed_on IS NULL", (RUNNING, job.id)
        )
        store.execute(
            "UPDATE ml_job_instances SET status = ?, started_on = ? WHERE job_id = ?",
            (RUNNING, account.clock().isoformat(), job.id),
        )
    _tell(account)


def instance_ended(account: Account, job: Job, number: int, status: str) -> None:
    """Record the end of an instance that ended before its job."""
    account.store.execute(
        "UPDATE ml_job_instances SET status = ?, ended_on = ? WHERE job_id = ? AND instance = ?",
        (status, account.clock().isoformat(), job.id, number),
    )


def instances(account: Account, job: Job) -> list[Instance]:
    """The instances of a job by number; instances that ran to the job's end have its state."""
    rows = account.store.rows("SELECT * FROM ml_job_instances WHERE job_id = ? ORDER BY instance", (job.id,))
    if not rows:  # a job of an earlier version of this server
        return [Instance(0, job.status, job.created_on, job.completed_on)]
    return [
        Instance(
            row["instance"],
            row["status"] if row["ended_on"] or not job.is_over else job.status,
            _moment(row["started_on"]),
            _moment(row["ended_on"]) or job.completed_on,
        )
        for row in rows
    ]


def finish(account: Account, job: Job, status: str, message: str = "") -> None:
    """Record the end of a job; the first recorded end is final."""
    account.store.execute(
        "UPDATE ml_jobs SET status = ?, message = ?, completed_on = ? WHERE id = ? AND completed_on IS NULL",
        (status, message, account.clock().isoformat(), job.id),
    )
    _tell(account)


def end_interrupted(account: Account) -> None:
    """Jobs that ran when the server died ended with it."""
    account.store.execute(
        "UPDATE ml_jobs SET status = ?, message = 'the local server stopped', completed_on = ?"
        " WHERE completed_on IS NULL",
        (INTERNAL_ERROR, account.clock().isoformat()),
    )


def delete(account: Account, job: Job) -> None:
    account.store.execute(
        "UPDATE ml_jobs SET deleted_on = ? WHERE id = ?", (account.clock().isoformat(), job.id)
    )


def wait(account: Account, job: Job, seconds: float) -> Job:
    """The job once it has ended, or its state after these seconds."""
    deadline = time.monotonic() + seconds
    changed = account.part(JobChanges).condition
    with changed:
        while not (job := get(account, job.name, deleted=True)).is_over:
            left = deadline - time.monotonic()
            if left <= 0 or account.stopping.is_set():
                break
            changed.wait(min(left, 1.0))
    return job


def get(account: Account, name: ObjectName, *, deleted: bool = False) -> Job:
    """The job with this name; raises SqlError 002003. Deleted jobs are only found with `deleted`."""
    row = account.store.row(
        f"{_SELECT} WHERE database = ? AND schema = ? AND name = ?",
        name.parts,
    )
    if row is None or (row["deleted_on"] is not None and not deleted):
        raise does_not_exist("Service", name)
    return _job(row)


def jobs(account: Account, *, deleted: bool = False) -> list[Job]:
    """All jobs, the latest first."""
    found = [_job(row) for row in account.store.rows(f"{_SELECT} ORDER BY id DESC")]
    return found if deleted else [job for job in found if job.deleted_on is None]


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        name=ObjectName(row["database"], row["schema"], row["name"]),
        status=row["status"],
        message=row["message"],
        owner=row["owner"],
        compute_pool=row["compute_pool"],
        query_warehouse=row["query_warehouse"],
        comment=row["comment"],
        stage_path=row["stage_path"],
        env=json.loads(row["env"]),
        mount=Path(row["mount"]),
        result_folder=Path(row["result_folder"]),
        query_id=row["query_id"],
        created_on=datetime.fromisoformat(row["created_on"]),
        completed_on=_moment(row["completed_on"]),
        deleted_on=_moment(row["deleted_on"]),
        target_instances=max(1, row["instances"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def use_of_pool(account: Account, pool: str) -> tuple[int, int]:
    """The number of a compute pool's jobs, and of the nodes of its running jobs."""
    found = [job for job in jobs(account) if job.compute_pool == pool and not job.is_over]
    return len(found), sum(job.target_instances for job in found if job.status != PENDING)
