"""ML Jobs as clients see them: services, instances, the history of jobs and their logs.

https://docs.snowflake.com/en/sql-reference/commands-snowpark-container-services
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sfml_local.core.arguments import Args
from sfml_local.core.errors import SqlError
from sfml_local.core.likeness import selected
from sfml_local.core.names import resolve
from sfml_local.core.places import area_of
from sfml_local.core.result import Column, Result, table
from sfml_local.grammar import services as grammar
from sfml_local.services.jobs import store as job_store
from sfml_local.services.jobs.store import Job

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

CONTAINER = "main"
IMAGE = "/local/python"


def describe_service(account: Account, session: Session, statement: grammar.DescribeService) -> Result:
    job = job_store.get(account, resolve(statement.service, session))
    columns = (
        "name",
        "status",
        "database_name",
        "schema_name",
        "owner",
        "compute_pool",
        "spec",
        "dns_name",
        "current_instances",
        "target_instances",
        "min_ready_instances",
        "min_instances",
        "max_instances",
        Column("created_on", "timestamp_ltz"),
        Column("updated_on", "timestamp_ltz"),
        "comment",
        "is_job",
        "query_warehouse",
    )
    row = (
        job.name.name,
        job.status,
        job.name.database,
        job.name.schema,
        job.owner,
        job.compute_pool,
        yaml.safe_dump(_service_spec(job), sort_keys=False),
        "",
        "0" if job.is_over else str(job.target_instances),
        *([str(job.target_instances)] * 4),
        job.created_on,
        job.completed_on or job.created_on,
        job.comment,
        "true",
        job.query_warehouse,
    )
    return table(columns, [row])


def _service_spec(job: Job) -> dict[str, Any]:
    """The job as SPCS would describe it. Mount paths are the real ones of the process, because results name them."""
    result_path = str(job.result_folder / "mljob_result")
    mounts = (("stage-volume", str(job.mount)), ("result-volume", str(job.result_folder)))
    sources = (("stage-volume", job.stage_path), ("result-volume", f"{job.stage_path}/{job.name.name}"))
    return {
        "spec": {
            "containers": [
                {
                    "name": CONTAINER,
                    "image": f"{IMAGE}:{sys.version_info.major}.{sys.version_info.minor}",
                    "env": {**job.env, "MLRS_RESULT_PATH": result_path},
                    "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts],
                }
            ],
            "volumes": [
                {"name": name, "source": "stage", "stageConfig": {"name": path}} for name, path in sources
            ],
        }
    }


def show_instances(account: Account, session: Session, statement: grammar.ShowServiceInstances) -> Result:
    job = job_store.get(account, resolve(statement.service, session))
    columns = ("database_name", "schema_name", "service_name", "instance_id", "status", "start_time")
    name = job.name.parts
    rows = [
        (*name, str(one.number), one.status, one.started_on.isoformat() if one.started_on else None)
        for one in job_store.instances(account, job)
    ]
    return table(columns, rows)


def show_endpoints(account: Account, session: Session, statement: grammar.ShowServiceEndpoints) -> Result:
    """Always empty, because a job's ports are on loopback, and not public endpoints."""
    job_store.get(account, resolve(statement.service, session))
    return table(("name", "port", "port_range", "protocol", "is_public", "ingress_url"), [])


def show_services(account: Account, session: Session, statement: grammar.ShowServices) -> Result:
    """SHOW JOB SERVICES."""
    area = area_of(account, session, statement.listing)
    here = (job for job in job_store.jobs(account) if area.has(job.name.database, job.name.schema))
    shown = selected(here, lambda job: job.name.name, statement.listing)
    columns = (
        "name",
        "status",
        "database_name",
        "schema_name",
        "owner",
        "compute_pool",
        "target_instances",
        Column("created_on", "timestamp_ltz"),
        Column("updated_on", "timestamp_ltz"),
    )
    rows = [
        (
            job.name.name,
            job.status,
            job.name.database,
            job.name.schema,
            job.owner,
            job.compute_pool,
            str(job.target_instances),
            job.created_on,
            job.completed_on or job.created_on,
        )
        for job in shown
    ]
    return table(columns, rows)


def job_history(account: Account, session: Session, args: Args) -> Result:
    """SNOWFLAKE.SPCS.GET_JOB_HISTORY(): every job, dropped ones too."""
    columns = (
        "ID",
        "NAME",
        "STATUS",
        "MESSAGE",
        "DATABASE_NAME",
        "SCHEMA_NAME",
        "OWNER",
        "COMPUTE_POOL_NAME",
        Column("PARAMETERS", "variant"),
        Column("CREATED_TIME", "timestamp_ltz"),
        Column("COMPLETED_TIME", "timestamp_ltz"),
        Column("DELETED_TIME", "timestamp_ltz"),
    )
    rows = [
        (
            str(job.id),
            job.name.name,
            job.status,
            job.message,
            job.name.database,
            job.name.schema,
            job.owner,
            job.compute_pool,
            json.dumps({"REPLICAS": job.target_instances}),
            job.created_on,
            job.completed_on,
            job.deleted_on,
        )
        for job in job_store.jobs(account, deleted=True)
    ]
    return table(columns, rows)


def service_logs(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$GET_SERVICE_LOGS(job, instance, container [, lines])."""
    name, *rest = arguments
    job = job_store.get(account, resolve(str(name), session))
    number = str(rest[0]) if rest else "0"
    if not number.isdigit() or int(number) >= job.target_instances:
        raise SqlError(f"Instance {number} of service {job.name} does not exist.", 395013, "22023")
    lines = _log_lines(instance_log(account, job, int(number)))
    if len(rest) > 2 and rest[2]:
        lines = lines[-int(rest[2]) :]
    return "\n".join(lines)


def job_logs(account: Account, session: Session, args: Args) -> Result:
    """TABLE(job!SPCS_GET_LOGS()): one row per line."""
    job = job_store.get(account, resolve(args.subject or "", session))
    columns = (Column("TIMESTAMP", "timestamp_ntz"), Column("INSTANCE_ID", "fixed"), "CONTAINER_NAME", "LOG")
    moment = job.created_on.replace(tzinfo=None)
    rows = [
        (moment, number, CONTAINER, line)
        for number in range(job.target_instances)
        for line in _log_lines(instance_log(account, job, number))
    ]
    return table(columns, rows)


def instance_log(account: Account, job: Job, number: int) -> Path:
    """The log of one instance; that of the first one is the log of the job's statement."""
    return account.log_path(job.query_id if number == 0 else f"{job.query_id}.{number}")


def _log_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


SYSTEM_FUNCTIONS = {"SYSTEM$GET_SERVICE_LOGS": service_logs}
TABLE_FUNCTIONS = {"SNOWFLAKE.SPCS.GET_JOB_HISTORY": job_history, "!SPCS_GET_LOGS": job_logs}
