"""ML Jobs: scripts for containers of a compute pool; here each runs in its own process.

https://docs.snowflake.com/en/developer-guide/snowflake-ml/ml-jobs/overview
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError, does_not_exist, not_emulated
from sfml_local.core.names import resolve
from sfml_local.core.places import demand_schema
from sfml_local.core.result import CALL, Result, scalar, status
from sfml_local.grammar import services as grammar
from sfml_local.services.jobs import environment as job_environment
from sfml_local.services.jobs import queries as job_queries
from sfml_local.services.jobs import runs as job_runs
from sfml_local.services.jobs import store as job_store
from sfml_local.services.jobs.queries import IMAGE
from sfml_local.services.jobs.request import read_request
from sfml_local.services.jobs.store import SCHEMA
from sfml_local.services.tasks import run_store

if TYPE_CHECKING:
    from sfml_local.core.account import Account, Handlers
    from sfml_local.core.session import Session

__all__ = ["HANDLERS", "READ_ONLY", "SCHEMA", "SYSTEM_FUNCTIONS", "TABLE_FUNCTIONS"]


def execute_ml_job(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$EXECUTE_ML_JOB(name, pool, spec, options): returns the job's id; without ASYNC, fails if the job fails."""
    request = read_request(arguments)
    job, run = job_runs.prepare(account, session, request)
    if session.task is not None and session.parent is None:
        # A job that a procedure of the task starts is not the task's own job.
        run_store.set_job_id(account.store, session.task.run, session.task.task.name.name, job.id)
    if request.is_async:
        job_runs.run_in_background(account, job, run)
        return job.name.fqn()
    job = job_runs.run_to_end(account, job, run)
    if job.status != job_store.DONE:
        raise SqlError(f"Job {job.name} failed: {job.message}", 395018, "22023")
    return job.name.fqn()


def job_runtime(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """SYSTEM$GET_ML_JOB_RUNTIME(pool, selector): an image name that represents this Python."""
    selector = str(arguments[1]) if len(arguments) > 1 and arguments[1] else ""
    wanted = json.loads(selector).get("pythonVersion") if selector.startswith("{") else None
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if wanted and wanted != own:
        raise not_emulated(f"an ML Job in Python {wanted}: the local server runs Python {own}")
    return f"{IMAGE}:{own}"


def call_method(account: Account, session: Session, statement: grammar.CallServiceMethod) -> Result:
    """CALL job!SPCS_WAIT_FOR(status, seconds) and CALL job!SPCS_CANCEL_JOB()."""
    job = job_store.get(account, resolve(statement.service, session))
    values = [account.evaluate(session, argument.expression) for argument in statement.arguments]
    if statement.method == "SPCS_CANCEL_JOB":
        job_runs.cancel(account, job)
        return scalar(statement.method, f"Job {job.name} was cancelled.", statement_type_id=CALL)
    if statement.method == "SPCS_WAIT_FOR":
        seconds = float(values[1]) if len(values) > 1 else 600.0
        job = job_store.wait(account, job, seconds)
        if not job.is_over:
            # An error instead of a status makes the client continue by polling.
            raise SqlError(f"Timed out after {seconds:g} seconds waiting for {job.name}.", 395031, "22023")
        return scalar(statement.method, job.status, statement_type_id=CALL)
    raise SqlError(f"SQL compilation error:\nUnknown method {statement.method}.", 2141, "42601")


def drop_service(account: Account, session: Session, statement: grammar.DropService) -> Result:
    name = resolve(statement.service, session)
    demand_schema(account, name)
    try:
        job = job_store.get(account, name)
    except SqlError:
        if statement.if_exists:
            return status(f"Drop statement executed successfully ({name.name} already dropped).")
        raise does_not_exist("Service", name) from None
    job_runs.cancel(account, job)
    job_store.delete(account, job)
    return status(f"{name.name} successfully dropped.")


def schema_dropped(account: Account, database: str, schema: str) -> None:
    """End and drop the jobs of a dropped schema."""
    for job in job_store.jobs(account):
        if (job.name.database, job.name.schema) == (database, schema):
            job_runs.cancel(account, job)
            job_store.delete(account, job)


def start(account: Account) -> None:
    job_environment.forget(account)
    job_store.end_interrupted(account)


def stop(account: Account) -> None:
    job_runs.wait_for_all(account)


HANDLERS: Handlers = {
    grammar.DescribeService: job_queries.describe_service,
    grammar.ShowServiceEndpoints: job_queries.show_endpoints,
    grammar.ShowServiceInstances: job_queries.show_instances,
    grammar.ShowServices: job_queries.show_services,
    grammar.CallServiceMethod: call_method,
    grammar.DropService: drop_service,
}
READ_ONLY = frozenset(
    {
        grammar.DescribeService,
        grammar.ShowServiceEndpoints,
        grammar.ShowServiceInstances,
        grammar.ShowServices,
    }
)
SYSTEM_FUNCTIONS = {
    **job_queries.SYSTEM_FUNCTIONS,
    "SYSTEM$EXECUTE_ML_JOB": execute_ml_job,
    "SYSTEM$GET_ML_JOB_RUNTIME": job_runtime,
}
TABLE_FUNCTIONS = job_queries.TABLE_FUNCTIONS
