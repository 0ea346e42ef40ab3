"""The task endpoints of Snowflake's REST API, under /api/v2/databases/{database}/schemas/{schema}/tasks."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sfml.grammar import SqlSyntaxError
from sfml.local.errors import SqlError
from sfml.local.likeness import like
from sfml.local.names import ObjectName
from sfml.local.protocol import SESSION_GONE, account_of, session_of
from sfml.local.tasks import commands, service, store, tags
from sfml.local.tasks.bodies import (
    Json,
    bad_request,
    identifier,
    run_body,
    settings_from_body,
    tag_body,
    task_body,
)
from sfml.local.tasks.commands import Created
from sfml.local.tasks.history import graph_row

if TYPE_CHECKING:
    from sfml.local.account import Account
    from sfml.local.session import Session


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read: who asks, for what, with which options."""

    account: Account
    session: Session
    database: str
    schema: str
    name: str | None
    options: dict[str, str]
    body: Any

    @property
    def task(self) -> ObjectName:
        assert self.name is not None
        return ObjectName(self.database, self.schema, self.name)

    def truth(self, option: str, default: bool = False) -> bool:
        """A boolean option; clients write `True` and `False`."""
        value = self.options.get(option)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise bad_request(f"Invalid value [{value}] for parameter {option}: true or false.")
        return value.lower() == "true"

    def limit(self, option: str, default: int) -> int:
        value = self.options.get(option)
        if value is None:
            return default
        if not value.isdigit() or not 1 <= int(value) <= 10_000:
            raise bad_request(f"Invalid value [{value}] for parameter {option}: 1 to 10000.")
        return int(value)

    def mapping(self) -> Json:
        if not isinstance(self.body, dict):
            raise bad_request("The body of the request is not a JSON object.")
        return self.body


Handler = Callable[[Call], Any]


def done(message: str = "Request successfully completed") -> Json:
    return {"status": message}


# -- one function an operation


def list_tasks(call: Call) -> list[Json]:
    commands.demand_schema(call.account, call.database, call.schema)
    starts, after = call.options.get("startsWith", ""), call.options.get("fromName")
    found = [
        task
        for task in store.in_schema(call.account.store, call.database, call.schema)
        if like(call.options.get("like"), task.name.name)
        and task.name.name.startswith(starts)
        and (after is None or task.name.name > after)
        and (not call.truth("rootOnly") or task.settings.is_root)
    ]
    return [task_body(call.account, task) for task in found[: call.limit("showLimit", 10_000)]]


def create_task(call: Call) -> Json:
    body = call.mapping()
    name = ObjectName(call.database, call.schema, identifier(body.get("name", "")))
    mode = call.options.get("createMode", "errorIfExists")
    if mode not in ("errorIfExists", "orReplace", "ifNotExists"):
        raise bad_request(f"Invalid value [{mode}] for parameter createMode.")
    if mode == "ifNotExists" and store.find(call.account.store, name):
        return done(f"{name.name} already exists, statement succeeded.")
    settings = settings_from_body(name, body)
    commands.create(call.account, call.session, name, settings, replace_it=mode == "orReplace")
    return done(f"Task {name.name} successfully created.")


def fetch_task(call: Call) -> Json:
    return task_body(call.account, commands.fetch(call.account, call.task))


def create_or_alter_task(call: Call) -> Json:
    settings = settings_from_body(call.task, call.mapping())
    made = commands.create_or_alter(call.account, call.session, call.task, settings)
    word = "created" if made is Created.CREATED else "altered"
    return done(f"Task {call.task.name} successfully {word}.")


def delete_task(call: Call) -> Json:
    if call.truth("ifExists") and store.find(call.account.store, call.task) is None:
        return done(f"Drop statement executed successfully ({call.task.name} already dropped).")
    commands.drop(call.account, call.task)
    return done(f"{call.task.name} successfully dropped.")


def execute_task(call: Call) -> Json:
    if call.truth("retryLast"):
        service.retry_last(call.account, call.task)
    else:
        service.execute(call.account, call.task)
    return done(f"Task {call.task.name} is scheduled to run immediately.")


def resume_task(call: Call) -> Json:
    service.resume(call.account, call.task)
    return done()


def suspend_task(call: Call) -> Json:
    commands.suspend(call.account, call.task)
    return done()


def dependents(call: Call) -> list[Json]:
    found = commands.dependents(call.account, call.task, call.truth("recursive", default=True))
    return [task_body(call.account, task) for task in found]


def current_graphs(call: Call) -> list[Json]:
    task = commands.fetch(call.account, call.task)
    runs = service.current_runs(call.account, task.id)[: call.limit("resultLimit", 1000)]
    return [run_body(graph_row(call.account, run)) for run in runs]


def complete_graphs(call: Call) -> list[Json]:
    task = commands.fetch(call.account, call.task)
    runs = service.complete_runs(call.account, task.id, error_only=call.truth("errorOnly"))
    return [run_body(graph_row(call.account, run)) for run in runs[: call.limit("resultLimit", 1000)]]


def set_tags(call: Call) -> Json:
    task = _tagged(call)
    if task is not None:
        tags.set_tags(call.account.store, task, {_tag(call, one): str(one["tag_value"]) for one in call.body})
    return done()


def unset_tags(call: Call) -> Json:
    task = _tagged(call)
    if task is not None:
        tags.unset_tags(call.account.store, task, [_tag(call, one) for one in call.body])
    return done()


def get_tags(call: Call) -> list[Json]:
    task = commands.fetch(call.account, call.task)
    return [tag_body(tag, value) for tag, value in tags.tags_of(call.account.store, task.id).items()]


def _tagged(call: Call) -> str | None:
    """The id of the task to tag, or None when it may be missing and is."""
    if not isinstance(call.body, list):
        raise bad_request("The body of the request is not a JSON array.")
    if call.truth("ifExists") and store.find(call.account.store, call.task) is None:
        return None
    return commands.fetch(call.account, call.task).id


def _tag(call: Call, one: Json) -> ObjectName:
    database = identifier(one["tag_database"]) if one.get("tag_database") else call.database
    schema = identifier(one["tag_schema"]) if one.get("tag_schema") else call.schema
    return ObjectName(database, schema, identifier(one["tag_name"]))


# -- HTTP


async def endpoint(request: Request) -> Response:
    """Any operation on tasks: in a thread, for the session of the token, errors as Snowflake's JSON."""
    session = session_of(request)
    if session is None:
        return failure(401, SESSION_GONE[0], SESSION_GONE[1])
    return await run_in_threadpool(_answer, request, session, await request.body())


def _answer(request: Request, session: Session, body: bytes) -> Response:
    path = _raw_parts(request)
    operation = _operation(path)
    handler = OPERATIONS.get((request.method, operation))
    if handler is None:
        known = any(name == operation for _, name in OPERATIONS)
        return failure(
            405 if known else 404, "000002", f"No such operation: {request.method} {request.url.path}"
        )
    try:
        answer = handler(_call(request, session, path, operation, body))
    except SqlError as error:
        return failure(status_of(error), error.code, error.message)
    except SqlSyntaxError as error:
        return failure(400, "001003", str(error))
    return JSONResponse(answer, headers={"X-Snowflake-Request-ID": str(uuid.uuid4())})


def _operation(path: list[str]) -> str:
    """What the path asks for: `tasks`, or what follows the name (`:execute`, `/dependents`, nothing)."""
    if len(path) == 7:
        return "tasks"
    _, colon, action = path[7].partition(":")
    return colon + action + "".join(f"/{part}" for part in path[8:])


def _call(request: Request, session: Session, path: list[str], operation: str, body: bytes) -> Call:
    try:
        parsed = json.loads(body) if body else None
    except ValueError as cause:
        raise bad_request("The body of the request is not JSON.") from cause
    name = None if operation == "tasks" else unquote(path[7].partition(":")[0])
    return Call(
        account=account_of(request),
        session=session,
        database=identifier(unquote(path[3])),
        schema=identifier(unquote(path[5])),
        name=None if name is None else identifier(name),
        options=dict(request.query_params),
        body=parsed,
    )


def _raw_parts(request: Request) -> list[str]:
    """api, v2, databases, D, schemas, S, tasks, NAME[:action] …, still percent-encoded."""
    raw: str = request.scope.get("raw_path", request.url.path.encode()).decode("ascii")
    return raw.partition("?")[0].strip("/").split("/")


def status_of(error: SqlError) -> int:
    """The HTTP status of an error of the account."""
    return {2003: 404, 2043: 404, 2002: 409, 3001: 403, 2: 405}.get(error.errno, 400)


def failure(status: int, code: str, message: str) -> JSONResponse:
    request_id = str(uuid.uuid4())
    return JSONResponse(
        {"message": message, "code": code, "error_code": code, "request_id": request_id},
        status,
        headers={"X-Snowflake-Request-ID": request_id},
    )


OPERATIONS: dict[tuple[str, str], Handler] = {
    ("GET", "tasks"): list_tasks,
    ("POST", "tasks"): create_task,
    ("GET", ""): fetch_task,
    ("PUT", ""): create_or_alter_task,
    ("DELETE", ""): delete_task,
    ("POST", ":execute"): execute_task,
    ("POST", ":resume"): resume_task,
    ("POST", ":suspend"): suspend_task,
    ("POST", ":set-tags"): set_tags,
    ("POST", ":unset-tags"): unset_tags,
    ("GET", ":get-tags"): get_tags,
    ("GET", "/dependents"): dependents,
    ("GET", "/current-graphs"): current_graphs,
    ("GET", "/current_graphs"): current_graphs,
    ("GET", "/complete-graphs"): complete_graphs,
    ("GET", "/complete_graphs"): complete_graphs,
}
"""(method, what follows the task's name) → operation; "tasks" is the collection."""

_TASKS = "/api/v2/databases/{database}/schemas/{schema}/tasks"
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]

ROUTES = (
    Route(_TASKS, endpoint, methods=_METHODS),
    # One route for all: a quoted name may hold a slash, which Starlette would take for one of the path.
    Route(_TASKS + "/{task:path}", endpoint, methods=_METHODS),
)
