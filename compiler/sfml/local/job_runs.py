"""Running an ML Job: a private copy of its payload, the launcher that the client uploaded, a log, an end."""

from __future__ import annotations

import contextvars
import json
import shutil
import signal
import sys
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.local import job_store, stages
from sfml.local.children import run_child
from sfml.local.errors import SqlError
from sfml.local.job_request import CONTAINER_MOUNT, JobRequest, check_requirements
from sfml.local.job_store import CANCELLED, DONE, FAILED, INTERNAL_ERROR, Job
from sfml.local.names import ObjectName, resolve
from sfml.local.procedures import runs_folder

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session

LOG_LINES_IN_ERROR = 20


@dataclass(frozen=True, slots=True)
class JobRun:
    """The process of a job: what to run, as whom, and how to end it early."""

    session: Session
    argv: tuple[str, ...]
    env: dict[str, str]
    folder: Path
    cancel: threading.Event = field(default_factory=threading.Event)


_running: dict[Path, JobRun] = {}
"""The runs of this process by their mount, which no two share."""

_threads: dict[threading.Thread, Path] = {}
"""The threads that follow jobs in the background, and the folders of their runs."""


def prepare(account: Account, session: Session, request: JobRequest) -> tuple[Job, JobRun]:
    """Record the job and copy its payload: a run keeps the code it started with."""
    name = job_name(request, session)
    source = stages.local_path(account, session, request.stage_path)
    if not (source / "app").is_dir():
        raise SqlError(f"Payload of job {name} not found: {request.stage_path}/app", 395018, "22023")
    check_requirements(source / "app")
    folder = runs_folder(account) / f"job-{uuid.uuid4().hex}"
    mount = folder / "job_stage"
    for part in ("app", "system"):
        if (source / part).is_dir():
            shutil.copytree(source / part, mount / part)
    results = stages.local_path(account, session, f"{request.stage_path}/{name.name}")
    results.mkdir(parents=True, exist_ok=True)
    job = job_store.insert(
        account,
        name,
        {
            "owner": session.role,
            "compute_pool": request.compute_pool,
            "query_warehouse": request.query_warehouse,
            "comment": request.comment,
            "stage_path": request.stage_path,
            "env": json.dumps(dict(request.env)),
            "mount": str(mount),
            "result_folder": str(results),
            "query_id": account.query_id,
        },
    )
    env = {
        **{key: _in_mount(value, mount) for key, value in request.env.items()},
        "MLRS_STAGE_RESULT_PATH": str(results),
        "MLRS_RESULT_PATH": "mljob_result",
        "SNOWFLAKE_JOBS_COUNT": "1",
        "SNOWFLAKE_JOB_INDEX": "0",
        "SNOWFLAKE_SERVICE_NAME": name.name,
        "SNOWFLAKE_DATABASE": name.database,
        "SNOWFLAKE_SCHEMA": name.schema,
    }
    arguments = (_in_mount(argument, mount) for argument in request.arguments)
    argv = (sys.executable, str(_launcher(mount)), *arguments)
    run = JobRun(_session_of_job(account, session, request), argv, env, folder)
    _running[job.mount] = run
    return job, run


def _session_of_job(account: Account, session: Session, request: JobRequest) -> Session:
    """The job's own session; one that runs on by itself must not end with its caller's."""
    place = {"database": session.database, "schema": session.schema}
    return account.sessions.open(
        **place,
        user=session.user,
        role=session.role,
        warehouse=request.query_warehouse or session.warehouse,
        parameters=session.parameters,
        task=session.task,
        parent=None if request.is_async else session,
    )


def job_name(request: JobRequest, session: Session) -> ObjectName:
    """The full name of a job; a definition's name ends in `_` and gets a suffix that no other job has."""
    if not request.add_suffix:
        return resolve(request.name, session)
    suffix = uuid.uuid4().hex[:12].upper()
    if request.name.endswith('"_'):
        base = resolve(request.name[:-1], session)
        return base.sibling(f"{base.name}_{suffix}")
    base = resolve(request.name, session)
    return base.sibling(f"{base.name}{suffix}")


def _in_mount(text: str, mount: Path) -> str:
    """A path in the container as the process has it; any other text unharmed."""
    if text == CONTAINER_MOUNT or text.startswith(f"{CONTAINER_MOUNT}/"):
        return f"{mount}{text.removeprefix(CONTAINER_MOUNT)}"
    return text


def _launcher(mount: Path) -> Path:
    """The script that connects, runs the entrypoint and saves the result: the client's own."""
    uploaded = mount / "system" / "mljob_launcher.py"
    if uploaded.is_file():
        return uploaded
    from snowflake.ml.jobs._utils.scripts import mljob_launcher

    return Path(str(mljob_launcher.__file__))


def run_to_end(account: Account, job: Job, run: JobRun) -> Job:
    """Run the process and record how it ended; answers the job as it then is."""
    try:
        code = run_child(
            account,
            run.session,
            list(run.argv),
            env=run.env,
            log=account.log_path(job.query_id),
            cwd=Path(job.mount) / "app",
            cancel=run.cancel,
        )
    except BaseException as error:
        job_store.finish(account, job, INTERNAL_ERROR, str(error))
        raise
    else:
        status = _status(account, run, code)
        job_store.finish(account, job, status, "" if status == DONE else _message(account, job, status, code))
    finally:
        _running.pop(job.mount, None)
        account.sessions.close(run.session)
        shutil.rmtree(run.folder, ignore_errors=True)
    return job_store.get(account, job.name, deleted=True)


def _status(account: Account, run: JobRun, code: int) -> str:
    if code == 0:
        return DONE
    if account.stopping.is_set():
        return INTERNAL_ERROR
    # A task that is stopped ends its processes too, by SIGTERM and without this job's own event.
    return CANCELLED if run.cancel.is_set() or code == -signal.SIGTERM else FAILED


def _message(account: Account, job: Job, status: str, code: int) -> str:
    """Why a job failed: its last words, for whoever sees the error and not the log."""
    if status == CANCELLED:
        return "the job was cancelled"
    if status == INTERNAL_ERROR:
        return "the local server stopped"
    path = account.log_path(job.query_id)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    said = [line for line in lines if line.strip()]
    last = said[-1] if said else f"exit code {code}"
    return "\n".join([last, f"exit code {code}, last lines of its log:", *said[-LOG_LINES_IN_ERROR:]])


def run_in_background(account: Account, job: Job, run: JobRun) -> None:
    """Run the job in a thread that the statement does not wait for."""
    context = contextvars.copy_context()

    def follow() -> None:
        try:
            context.run(run_to_end, account, job, run)
        finally:
            _threads.pop(threading.current_thread(), None)

    thread = threading.Thread(target=follow, name=f"job-{job.name.name}", daemon=True)
    _threads[thread] = run.folder
    thread.start()


def cancel(account: Account, job: Job) -> None:
    """End a job that runs and wait for its end; one that is over stays as it is."""
    run = _running.get(job.mount)
    if run is not None:
        run.cancel.set()
        job_store.wait(account, job, 30)


def wait_for_all(account: Account) -> None:
    """Wait until the jobs of a server that stops have written down how they ended."""
    for thread in tuple(_threads):
        if _threads[thread].is_relative_to(account.folder):
            thread.join(15)
