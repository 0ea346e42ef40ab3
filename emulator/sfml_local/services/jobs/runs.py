"""Runs an ML Job: copies its payload, assigns nodes, runs its processes, and records the end."""

from __future__ import annotations

import contextvars
import json
import re
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.semantics.error_line import error_line
from sfml_local.core.child import Child
from sfml_local.core.errors import SqlError
from sfml_local.core.names import ObjectName, resolve
from sfml_local.processes.children import POLL_SECONDS, run_child, runs_folder
from sfml_local.services.jobs import environment as job_environment
from sfml_local.services.jobs import nodes as job_nodes
from sfml_local.services.jobs import store as job_store
from sfml_local.services.jobs.instances import Launch, demand_ray, run_instances
from sfml_local.services.jobs.request import CONTAINER_MOUNT, JobRequest
from sfml_local.services.jobs.store import CANCELLED, DONE, FAILED, INTERNAL_ERROR, Job
from sfml_local.services.routines.procedures import statement_timeout
from sfml_local.services.stages import locations as stages

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

LOG_LINES_IN_ERROR = 20
_FRAME = re.compile(r'  File "(.+)", line \d+')
CHECK_INTERVAL = "MLRS_INSTANCES_CHECK_INTERVAL"
"""Seconds between the launcher's checks for instances; its own default is ten."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """A job to run, with its session, and the way to end it early."""

    session: Session
    request: JobRequest
    launch: Launch
    folder: Path
    seconds: float | None
    nodes: int
    """The nodes that it has from the start; 0 if it must wait for them."""
    cancel: threading.Event = field(default_factory=threading.Event)


class JobRuns:
    """The jobs of an account that go on."""

    def __init__(self, account: Account) -> None:
        self.by_mount: dict[Path, JobRun] = {}
        self.threads: set[threading.Thread] = set()
        """Those that follow jobs in the background."""


def prepare(account: Account, session: Session, request: JobRequest) -> tuple[Job, JobRun]:
    """Record the job, and copy its payload, so that a run keeps its code."""
    name = job_name(request, session)
    source = stages.local_path(account, session, request.stage_path)
    if not (source / "app").is_dir():
        raise SqlError(f"Payload of job {name} not found: {request.stage_path}/app", 395018, "22023")
    required = job_environment.requirement_lines(source / "app", request.env)
    demand_ray(request.target_instances, job_environment.required_names(required))
    job_nodes.demand(account, request.compute_pool, request.min_instances)
    folder = runs_folder(account) / f"job-{uuid.uuid4().hex}"
    mount = folder / "job_stage"
    for part in ("app", "system"):
        if (source / part).is_dir():
            shutil.copytree(source / part, mount / part)
    environment = job_environment.environment_of(account, mount / "app", request.env)
    results = stages.local_path(account, session, f"{request.stage_path}/{name.name}")
    results.mkdir(parents=True, exist_ok=True)
    shown = dict(request.env)
    if request.target_instances > 1:
        shown["MLRS_MIN_INSTANCES"] = str(request.min_instances)
    job = job_store.insert(
        account,
        name,
        {
            "owner": session.role,
            "compute_pool": request.compute_pool,
            "query_warehouse": request.query_warehouse,
            "comment": request.comment,
            "stage_path": request.stage_path,
            "env": json.dumps(shown),
            "mount": str(mount),
            "result_folder": str(results),
            "query_id": account.query_id,
        },
        request.target_instances,
    )
    env = {
        **job_environment.variables(environment),
        CHECK_INTERVAL: "0.5",
        **{key: _in_mount(value, mount) for key, value in shown.items()},
        "MLRS_STAGE_RESULT_PATH": str(results),
        "MLRS_RESULT_PATH": "mljob_result",
        "SNOWFLAKE_JOBS_COUNT": str(request.target_instances),
        "SNOWFLAKE_JOB_INDEX": "0",
        "SNOWFLAKE_SERVICE_NAME": name.name,
        "SNOWFLAKE_DATABASE": name.database,
        "SNOWFLAKE_SCHEMA": name.schema,
    }
    arguments = tuple(_in_mount(argument, mount) for argument in request.arguments)
    launch = Launch(_launcher(mount), arguments, environment, env, frozenset(request.env))
    own_session, seconds = _session_of_job(account, session, request), _seconds(account, session, request)
    run = JobRun(own_session, request, launch, folder, seconds, _take_nodes(account, job, request))
    account.part(JobRuns).by_mount[job.mount] = run
    return job, run


def _take_nodes(account: Account, job: Job, request: JobRequest) -> int:
    """Record that the job runs with this number of nodes."""
    nodes = job_nodes.take(account, job, request.min_instances)
    if nodes:
        job_store.started(account, job)
    return nodes


def _session_of_job(account: Account, session: Session, request: JobRequest) -> Session:
    """The job's session; an asynchronous job must not end with its caller's session."""
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


def _seconds(account: Account, session: Session, request: JobRequest) -> float | None:
    """The job's timeout: that of its statement, if the statement waits for the job, or that of the setting."""
    statement = None if request.is_async else statement_timeout(session)
    limits = [limit for limit in (account.settings.job_seconds, statement) if limit]
    return min(limits) if limits else None


def job_name(request: JobRequest, session: Session) -> ObjectName:
    """The full name of a job; a definition's name ends in `_`, and gets a unique suffix."""
    if not request.add_suffix:
        return resolve(request.name, session)
    suffix = uuid.uuid4().hex[:12].upper()
    if request.name.endswith('"_'):
        base = resolve(request.name[:-1], session)
        return base.sibling(f"{base.name}_{suffix}")
    base = resolve(request.name, session)
    return base.sibling(f"{base.name}{suffix}")


def _in_mount(text: str, mount: Path) -> str:
    """A path in the container as a path of the process; other texts are unchanged."""
    if text == CONTAINER_MOUNT or text.startswith(f"{CONTAINER_MOUNT}/"):
        return f"{mount}{text.removeprefix(CONTAINER_MOUNT)}"
    return text


def _launcher(mount: Path) -> Path:
    """The client's script that connects, runs the entrypoint and saves the result."""
    uploaded = mount / "system" / "mljob_launcher.py"
    if uploaded.is_file():
        return uploaded
    from snowflake.ml.jobs._utils.scripts import mljob_launcher

    return Path(str(mljob_launcher.__file__))


def run_to_end(account: Account, job: Job, run: JobRun) -> Job:
    """Run the job's processes and record their end; returns the ended job."""
    # Cancelling the caller's statement ends its job, also while the job waits.
    child = Child(run.session, run.cancel)
    account.children.add(child)
    started = time.monotonic()
    try:
        code = _run(account, job, run)
    except BaseException as error:
        job_store.finish(account, job, INTERNAL_ERROR, str(error))
        raise
    else:
        late = run.seconds is not None and time.monotonic() - started >= run.seconds
        status, message = _end(account, job, run, code, late=late)
        job_store.finish(account, job, status, message)
    finally:
        account.children.discard(child)
        account.part(JobRuns).by_mount.pop(job.mount, None)
        job_nodes.leave(account, job)
        account.sessions.close(run.session)
        shutil.rmtree(run.folder, ignore_errors=True)
    return job_store.get(account, job.name, deleted=True)


def _run(account: Account, job: Job, run: JobRun) -> int:
    """The exit code of the job, or of a failed pip."""

    def has_to_end() -> bool:
        return run.cancel.is_set() or account.stopping.is_set()

    deadline = None if run.seconds is None else time.monotonic() + run.seconds

    def left() -> float | None:
        return None if deadline is None else max(0.1, deadline - time.monotonic())

    nodes = run.nodes
    while not (nodes := nodes or _take_nodes(account, job, run.request)):
        if run.cancel.wait(POLL_SECONDS) or has_to_end() or (deadline and time.monotonic() > deadline):
            return -signal.SIGTERM
    log = account.log_path(job.query_id)
    note(log, run.request.notes)
    environment = run.launch.environment
    if environment is not None:

        def install(command: list[str], env: Mapping[str, str]) -> int:
            return run_child(
                account,
                run.session,
                command,
                env={**run.launch.env, **env},
                log=log,
                cwd=job.mount / "app",
                cancel=run.cancel,
                timeout=left(),
            )

        locks = account.part(job_environment.EnvironmentLocks)
        note(log, [f"pip requirements: environment {environment.folder.name}"])
        if code := job_environment.make(locks, environment, install, has_to_end):
            return code
    return run_instances(account, run.session, job, run.launch, nodes, cancel=run.cancel, timeout=left())


def note(log: Path, lines: tuple[str, ...] | list[str]) -> None:
    """Write a message of the server into a job's log."""
    with log.open("a", encoding="utf-8") as file:
        file.writelines(f"[local server] {line}\n" for line in lines)


def _end(account: Account, job: Job, run: JobRun, code: int, *, late: bool) -> tuple[str, str]:
    """A job's state and message; the message contains the last lines of the log."""
    if code == 0:
        return DONE, ""
    if account.stopping.is_set():
        return INTERNAL_ERROR, "the local server stopped"
    if run.cancel.is_set():
        return CANCELLED, "the job was cancelled"
    if late:
        return FAILED, f"the job was ended after {run.seconds:g} seconds, which is as long as it may run"
    path = account.log_path(job.query_id)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    said = [line for line in _without_launcher(lines) if line.strip()]
    head = f"exit code {code}, last lines of its log:"
    # Launcher and connector write to the same log after the script, so search for the script's output.
    last = error_line("\n".join([head, *said])) or f"exit code {code}"
    return FAILED, "\n".join([last, head, *said[-LOG_LINES_IN_ERROR:]])


def _without_launcher(lines: list[str]) -> Iterator[str]:
    """A log whose tracebacks lack the frames of Snowflake's launcher, whose number depends on the Python version."""
    is_launcher = False
    for line in lines:
        if frame := _FRAME.match(line):
            is_launcher = frame[1].startswith("<frozen ") or frame[1].endswith("/system/mljob_launcher.py")
        elif not line.startswith("    "):
            is_launcher = False
        if not is_launcher:
            yield line


def run_in_background(account: Account, job: Job, run: JobRun) -> None:
    """Run the job in a background thread."""
    context = contextvars.copy_context()
    threads = account.part(JobRuns).threads

    def follow() -> None:
        try:
            context.run(run_to_end, account, job, run)
        finally:
            threads.discard(threading.current_thread())

    thread = threading.Thread(target=follow, name=f"job-{job.name.name}", daemon=True)
    threads.add(thread)
    thread.start()


def cancel(account: Account, job: Job) -> None:
    """End a running job and wait for its end; an ended job is not changed."""
    run = account.part(JobRuns).by_mount.get(job.mount)
    if run is not None:
        run.cancel.set()
        job_store.wait(account, job, 30)


def wait_for_all(account: Account) -> None:
    """Wait until the jobs have recorded their ends, when the server stops."""
    for thread in tuple(account.part(JobRuns).threads):
        thread.join(15)
