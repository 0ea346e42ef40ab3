"""The connector's HTTP endpoints: login, queries, sessions, and the small ones around them."""

from __future__ import annotations

import gzip
import hmac
import json
from typing import TYPE_CHECKING, Any

from fakesnow.converter import from_binding
from fakesnow.transforms import SERVER_VERSION
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sfml.local.errors import SqlError
from sfml.local.result import Result
from sfml.local.session import DEFAULT_ROLE, DEFAULT_WAREHOUSE, Session
from sfml.local.wire import payload, rowtype

if TYPE_CHECKING:
    from sfml.local.account import Account


def account_of(request: Request) -> Account:
    account: Account = request.app.state.account
    return account


def session_of(request: Request) -> Session | None:
    """The session whose token the request carries: `Authorization: Snowflake Token="…"`."""
    header = request.headers.get("Authorization", "")
    prefix = 'Snowflake Token="'
    if not header.startswith(prefix):
        return None
    return account_of(request).sessions.by_token(header[len(prefix) : -1])


async def body_of(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    parsed: dict[str, Any] = json.loads(body or b"{}")
    return parsed


def failure(
    code: str, message: str, sqlstate: str | None = None, query_id: str | None = None
) -> JSONResponse:
    data = {"errorCode": code, "sqlState": sqlstate, "queryId": query_id, "line": -1, "pos": -1}
    return JSONResponse({"data": data, "code": code, "message": message, "success": False})


SESSION_GONE = ("390112", "Your session has expired. Please login again.")


async def login(request: Request) -> JSONResponse:
    """POST /session/v1/login-request: the password is the server's token, the user is anybody."""
    account = account_of(request)
    data = (await body_of(request)).get("data", {})
    password = str(data.get("PASSWORD") or data.get("TOKEN") or "")
    if not hmac.compare_digest(password.encode(), account.token.encode()):
        return failure("390100", "Incorrect username or password was specified.", "08001")
    query = request.query_params
    session = await run_in_threadpool(
        account.sessions.open,
        database=folded(query.get("databaseName")),
        schema=folded(query.get("schemaName")),
        user=folded(data.get("LOGIN_NAME")) or "SFML",
        role=folded(query.get("roleName")) or DEFAULT_ROLE,
        warehouse=folded(query.get("warehouse")) or DEFAULT_WAREHOUSE,
        parameters=data.get("SESSION_PARAMETERS") or {},
    )
    answer = {
        "token": session.token,
        "masterToken": session.master_token,
        "sessionId": session.id,
        "validityInSeconds": 3600,
        "masterValidityInSeconds": 14400,
        "serverVersion": SERVER_VERSION,
        "displayUserName": session.user,
        "parameters": [{"name": name, "value": value} for name, value in CLIENT_PARAMETERS.items()],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }
    return JSONResponse({"data": answer, "code": None, "message": None, "success": True})


CLIENT_PARAMETERS: dict[str, Any] = {
    "AUTOCOMMIT": True,
    "TIMEZONE": "Etc/UTC",
    "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
    # 0 keeps array bindings inline: clients would otherwise upload them to a stage first.
    "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
    "CLIENT_TELEMETRY_ENABLED": False,
}


def folded(name: Any) -> str | None:
    """A name from a connection's settings as Snowflake folds it."""
    if not name:
        return None
    text = str(name)
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.upper()


async def query(request: Request) -> JSONResponse:
    """POST /queries/v1/query-request: run one statement."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    account = account_of(request)
    body = await body_of(request)
    query_id = account.new_query_id()
    try:
        result = await run_in_threadpool(
            account.execute,
            session,
            body["sqlText"],
            positional(body.get("bindings")),
            bool(body.get("describeOnly")),
            query_id,
        )
        return JSONResponse(await run_in_threadpool(success, session, result, query_id))
    except SqlError as error:
        return failure(error.code, error.message, error.sqlstate, query_id)


def positional(bindings: dict[str, Any] | None) -> list[Any]:
    """The values bound to `?`, in order."""
    if not bindings:
        return []
    return [
        None if binding["value"] is None else from_binding(binding)
        for _, binding in sorted(bindings.items(), key=lambda item: int(item[0]))
    ]


def success(session: Session, result: Result, query_id: str) -> dict[str, Any]:
    if result.transfer is not None:
        data = {**result.transfer, "queryId": query_id}
    else:
        data = {
            "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
            **payload(result),
            "queryId": query_id,
            "statementTypeId": result.statement_type_id,
            "finalDatabaseName": session.database,
            "finalSchemaName": session.schema,
            "finalWarehouseName": session.warehouse,
            "finalRoleName": session.role,
        }
    return {"data": data, "code": None, "message": None, "success": True}


async def session_endpoint(request: Request) -> JSONResponse:
    """POST /session: heartbeat, or with ?delete=true the end of the session."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    if request.query_params.get("delete", "").lower() == "true":
        await run_in_threadpool(account_of(request).sessions.close, session)
    return accepted()


def accepted() -> JSONResponse:
    return JSONResponse({"data": None, "code": None, "message": None, "success": True})


async def accept(request: Request) -> JSONResponse:
    """Telemetry and the like: taken and forgotten."""
    return accepted()


ROUTES = (
    Route("/session/v1/login-request", login, methods=["POST"]),
    Route("/session", session_endpoint, methods=["POST"]),
    Route("/session/heartbeat", session_endpoint, methods=["POST"]),
    Route("/queries/v1/query-request", query, methods=["POST"]),
    Route("/queries/v1/abort-request", accept, methods=["POST"]),
    Route("/telemetry/send", accept, methods=["POST"]),
    Route("/telemetry/send/sessionless", accept, methods=["POST"]),
)

__all__ = ["ROUTES", "account_of", "body_of", "failure", "rowtype", "session_of"]
