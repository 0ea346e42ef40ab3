"""ML Jobs: scripts that would run in containers of a compute pool, each run in a process of its own.

https://docs.snowflake.com/en/developer-guide/snowflake-ml/ml-jobs/overview
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import yaml

from sfml.grammar import services as grammar
from sfml.local import job_runs, job_store
from sfml.local.errors import SqlError, does_not_exist, not_emulated
from sfml.local.family import Args
from sfml.local.job_request import read_request
from sfml.local.job_store import SCHEMA, Job
from sfml.local.likeness import like
from sfml.local.names import resolve, resolve_schema
from sfml.local.result import CALL, Column, Result, scalar, status, table

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session

__all__ = ["HANDLERS", "READ_ONLY", "SCHEMA", "SYSTEM_FUNCTIONS", "TABLE_FUNCTIONS"]

LOCAL_POOL = "LOCAL_POOL"
CONTAINER = "main"
IMAGE = "/local/python"


def execute_ml_job(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$EXECUTE_ML_JOB(name, pool, spec, options): the job's id; fails with the job unless ASYNC."""
    request = read_request(arguments)
    job, run = job_runs.prepare(account, session, request)
    if request.is_async:
        job_runs.run_in_background(account, job, run)
        return job.name.fqn()
    job = job_runs.run_to_end(account, job, run)
    if job.status != job_store.DONE:
        raise SqlError(f"Job {job.name} failed: {job.message}", 395018, "22023")
    return job.name.fqn()


def job_runtime(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$GET_ML_JOB_RUNTIME(pool, selector): the image that stands for this Python."""
    selector = str(arguments[1]) if len(arguments) > 1 and arguments[1] else ""
    wanted = json.loads(selector).get("pythonVersion") if selector.startswith("{") else None
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if wanted and wanted != own:
        raise not_emulated(f"an ML Job in Python {wanted}: the local server runs Python {own}")
    return f"{IMAGE}:{own}"


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
        "0" if job.is_over else "1",
        "1",
        "1",
        "1",
        "1",
        job.created_on,
        job.completed_on or job.created_on,
        job.comment,
        "true",
        job.query_warehouse,
    )
    return table(columns, [row])


def _service_spec(job: Job) -> dict[str, Any]:
    """The job as SPCS would describe it. Mount paths are those the process really has: results name them."""
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
    name = job.name
    row = (name.database, name.schema, name.name, "0", job.status, job.created_on.isoformat())
    return table(columns, [row])


def show_services(account: Account, session: Session, statement: grammar.ShowServices) -> Result:
    """SHOW JOB SERVICES."""
    shown = [
        job
        for job in job_store.jobs(account)
        if like(statement.like, job.name.name) and _is_in(job, session, statement)
    ]
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
            "1",
            job.created_on,
            job.completed_on or job.created_on,
        )
        for job in shown
    ]
    return table(columns, rows[: statement.limit])


def _is_in(job: Job, session: Session, statement: grammar.ShowServices) -> bool:
    if statement.scope == "ACCOUNT":
        return True
    if statement.scope == "DATABASE":
        return job.name.database == (statement.within.last if statement.within else session.database)
    return (job.name.database, job.name.schema) == resolve_schema(statement.within, session)


def show_compute_pools(account: Account, session: Session, statement: grammar.ShowComputePools) -> Result:
    """Any name is a pool of one node here: shown are those in use and one that is asked for by name."""
    names = {LOCAL_POOL, *(job.compute_pool for job in job_store.jobs(account, deleted=True))}
    if statement.like and "%" not in statement.like:
        names.add(statement.like.replace("\\", "").upper())
    columns = (
        "name",
        "state",
        "min_nodes",
        "max_nodes",
        "instance_family",
        "num_services",
        "num_jobs",
        "auto_suspend_secs",
        "auto_resume",
        "active_nodes",
        "idle_nodes",
        "target_nodes",
        "owner",
    )
    rows = [
        (name, "ACTIVE", "1", "1", "CPU_X64_S", "0", "0", "0", "true", "0", "1", "1", session.role)
        for name in sorted(names)
        if like(statement.like, name)
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
            json.dumps({"REPLICAS": 1}),
            job.created_on,
            job.completed_on,
            job.deleted_on,
        )
        for job in job_store.jobs(account, deleted=True)
    ]
    return table(columns, rows)


def service_logs(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$GET_SERVICE_LOGS(job, instance, container[, lines])."""
    name, *rest = arguments
    job = job_store.get(account, resolve(str(name), session))
    lines = _log_lines(account, job)
    if len(rest) > 2 and rest[2]:
        lines = lines[-int(rest[2]) :]
    return "\n".join(lines)


def job_logs(account: Account, session: Session, args: Args) -> Result:
    """TABLE(job!SPCS_GET_LOGS()): one row a line."""
    job = job_store.get(account, resolve(args.subject or "", session))
    columns = (Column("TIMESTAMP", "timestamp_ntz"), Column("INSTANCE_ID", "fixed"), "CONTAINER_NAME", "LOG")
    moment = job.created_on.replace(tzinfo=None)
    return table(columns, [(moment, 0, CONTAINER, line) for line in _log_lines(account, job)])


def _log_lines(account: Account, job: Job) -> list[str]:
    path = account.log_path(job.query_id)
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def call_method(account: Account, session: Session, statement: grammar.CallServiceMethod) -> Result:
    """CALL job!SPCS_WAIT_FOR(status, seconds) and CALL job!SPCS_CANCEL_JOB()."""
    job = job_store.get(account, resolve(statement.service, session))
    values = [account.engine.evaluate(session, argument.expression) for argument in statement.arguments]
    if statement.method == "SPCS_CANCEL_JOB":
        job_runs.cancel(account, job)
        return scalar(statement.method, f"Job {job.name} was cancelled.", statement_type_id=CALL)
    if statement.method == "SPCS_WAIT_FOR":
        seconds = float(values[1]) if len(values) > 1 else 600.0
        job = job_store.wait(account, job, seconds)
        if not job.is_over:
            # An error and not a status: the client takes it as the sign to go on by polling.
            raise SqlError(f"Timed out after {seconds:g} seconds waiting for {job.name}.", 395031, "22023")
        return scalar(statement.method, job.status, statement_type_id=CALL)
    raise SqlError(f"SQL compilation error:\nUnknown method {statement.method}.", 2141, "42601")


def drop_service(account: Account, session: Session, statement: grammar.DropService) -> Result:
    name = resolve(statement.service, session)
    try:
        job = job_store.get(account, name)
    except SqlError:
        if statement.if_exists:
            return status(f"Drop statement executed successfully ({name.name} already dropped).")
        raise does_not_exist("Service", name) from None
    job_runs.cancel(account, job)
    job_store.delete(account, job)
    return status(f"{name.name} successfully dropped.")


def SCHEMA_DROPPED(account: Account, database: str, schema: str) -> None:
    """End and drop the jobs of a schema that goes."""
    for job in job_store.jobs(account):
        if (job.name.database, job.name.schema) == (database, schema):
            job_runs.cancel(account, job)
            job_store.delete(account, job)


def START(account: Account) -> None:
    job_store.end_interrupted(account)


def STOP(account: Account) -> None:
    job_runs.wait_for_all(account)


HANDLERS = {
    grammar.DescribeService: describe_service,
    grammar.ShowServiceInstances: show_instances,
    grammar.ShowServices: show_services,
    grammar.ShowComputePools: show_compute_pools,
    grammar.CallServiceMethod: call_method,
    grammar.DropService: drop_service,
}
READ_ONLY = frozenset(
    {grammar.DescribeService, grammar.ShowServiceInstances, grammar.ShowServices, grammar.ShowComputePools}
)
SYSTEM_FUNCTIONS = {
    "SYSTEM$EXECUTE_ML_JOB": execute_ml_job,
    "SYSTEM$GET_ML_JOB_RUNTIME": job_runtime,
    "SYSTEM$GET_SERVICE_LOGS": service_logs,
}
TABLE_FUNCTIONS = {"SNOWFLAKE.SPCS.GET_JOB_HISTORY": job_history, "!SPCS_GET_LOGS": job_logs}
