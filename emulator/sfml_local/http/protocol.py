"""The connector's HTTP endpoints: login, queries, sessions, and the small ones around them."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sfml_local.core import followed_parameters
from sfml_local.core.batches import batch, bound_value
from sfml_local.core.deep import SHORT, in_thread
from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.expressions import settings
from sfml_local.core.full_disk import full_disk_error
from sfml_local.core.limits import STATEMENT_LIMIT, parsed_object, read_body
from sfml_local.core.log_format import shown
from sfml_local.core.outcomes import Outcome
from sfml_local.core.queries import Queries, Query, rows_of
from sfml_local.core.result import Result
from sfml_local.core.session import DEFAULT_ROLE, DEFAULT_USER, DEFAULT_WAREHOUSE, Session
from sfml_local.core.statement_parameters import value_of, with_parameters
from sfml_local.http import several
from sfml_local.http.several import counted, run_all
from sfml_local.http.wire import payload
from sfml_local.processes.cancelling import cancel_query, cancel_session

if TYPE_CHECKING:
    from sfml_local.core.account import Account

logger = logging.getLogger("sfml_local")


def account_of(request: Request) -> Account:
    account: Account = request.app.state.account
    return account


def session_of(request: Request) -> Session | None:
    """The session whose token the request carries: `Authorization: Snowflake Token="…"`."""
    return session_by_header(account_of(request), request.headers.get("Authorization", ""))


def session_by_header(account: Account, shown: str) -> Session | None:
    """The session whose token an Authorization header holds."""
    token = _token(shown)
    return account.sessions.by_token(token) if token else None


def is_known(account: Account, shown: str) -> bool:
    """Whether an Authorization header holds a token that this server gave out."""
    scheme, _, bearer = shown.partition(" ")
    if scheme.lower() == "bearer":
        return is_same(account.token, bearer)
    token = _token(shown)
    return bool(token) and account.sessions.by_token(token) is not None


def _token(shown: str) -> str:
    prefix = 'Snowflake Token="'
    return shown[len(prefix) : -1] if shown.startswith(prefix) else ""


def is_same(secret: str, given: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(secret.encode(), given.encode("utf-8", "replace"))


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request holds; raises Refused."""
    return parsed_object(await read_body(request))


def failed(
    code: str, message: str, sqlstate: str | None = None, query_id: str | None = None
) -> dict[str, Any]:
    data = {"errorCode": code, "sqlState": sqlstate, "queryId": query_id, "line": -1, "pos": -1}
    return {"data": data, "code": code, "message": message, "success": False}


def failure(code: str, message: str, sqlstate: str | None = None) -> JSONResponse:
    return JSONResponse(failed(code, message, sqlstate))


VALID_SECONDS = 365 * 24 * 3600
IN_PROGRESS_ASYNC = "333334"
SESSION_GONE = ("390112", "Your session has expired. Please login again.")
LOGIN_GONE = ("390114", "Authentication token has expired.  The user must authenticate again.")
"""Refuses the renewal of a session; if it said that the session has expired, the connector would retry for ever."""


async def login(request: Request) -> JSONResponse:
    """POST /session/v1/login-request: the password is the server's token, the user can be any name."""
    account = account_of(request)
    data = (await body_of(request)).get("data")
    data = data if isinstance(data, dict) else {}
    password = str(data.get("PASSWORD") or data.get("TOKEN") or "")
    query = request.query_params
    place: dict[str, Any] = {
        "database": folded(query.get("databaseName")),
        "schema": folded(query.get("schemaName")),
        "parameters": _upper(data.get("SESSION_PARAMETERS")),
        "role": folded(query.get("roleName")),
        "warehouse": folded(query.get("warehouse")),
    }
    if is_same(account.token, password):
        place["role"] = place["role"] or DEFAULT_ROLE
        place["warehouse"] = place["warehouse"] or DEFAULT_WAREHOUSE
        user = folded(data.get("LOGIN_NAME")) or DEFAULT_USER
        session = await in_thread(
            partial(_opened, account, partial(account.sessions.open, user=user, **place))
        )
    elif (admitted := account.sessions.admitted(password)) is not None:
        child_of = partial(account.sessions.child_of, admitted.parent, rights=admitted.rights, **place)
        session = await in_thread(partial(_opened, account, child_of))
        session.admitted_by = admitted
    else:
        return failure("390100", "Incorrect username or password was specified.", "08001")
    session.last_request = time.monotonic()
    session.client = " ".join(str(data[key]) for key in _CLIENT if data.get(key))
    answer = {
        "token": session.token,
        "masterToken": session.master_token,
        "sessionId": session.id,
        "validityInSeconds": VALID_SECONDS,
        "masterValidityInSeconds": VALID_SECONDS,
        "serverVersion": account.engine.version,
        "displayUserName": session.user,
        "parameters": [
            {"name": name, "value": value}
            for name, value in {**CLIENT_PARAMETERS, **_told(session.parameters)}.items()
        ],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }
    return JSONResponse({"data": answer, "code": None, "message": None, "success": True})


def _opened(account: Account, opened: Callable[[], Session]) -> Session:
    """The session of a login, after those have ended whose clients have sent nothing for too long."""
    account.sessions.close_idle()
    return opened()


_CLIENT = ("CLIENT_APP_ID", "CLIENT_APP_VERSION")


def _upper(parameters: Any) -> dict[str, Any]:
    """Parameters by their names in upper case; a client may write them in any."""
    given = parameters if isinstance(parameters, dict) else {}
    return {str(name).upper(): value for name, value in given.items()}


CLIENT_PARAMETERS: dict[str, Any] = {
    "AUTOCOMMIT": True,
    "TIMEZONE": "Etc/UTC",
    "CLIENT_PREFETCH_THREADS": 4,
    "CLIENT_SESSION_KEEP_ALIVE": False,
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


async def query(request: Request) -> Response:
    """POST /queries/v1/query-request: run one statement, or return its earlier outcome."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    account = account_of(request)
    body = await body_of(request)
    query_id = account.new_query_id()

    async def run() -> Outcome:
        if not body.get("describeOnly"):
            account.part(Queries).accept(session, query_id, str(body.get("sqlText") or ""))
        is_deep = len(str(body.get("sqlText"))) > SHORT
        return await in_thread(partial(outcome, account, session, body, query_id), deep=is_deep)

    task = session.outcomes.start(request.query_params.get("requestId"), query_id, run)
    if body.get("asyncExec"):
        data = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result"}
        return JSONResponse({"data": data, "code": IN_PROGRESS_ASYNC, "message": None, "success": True})
    # The work continues if the client disconnects; its repeated request gets the outcome.
    done = await asyncio.shield(task)
    return Response(done.body, media_type="application/json")


def outcome(account: Account, session: Session, body: dict[str, Any], query_id: str) -> Outcome:
    """The response to one statement as bytes, built in the thread that ran it; never raises."""
    response = answer(account, session, body, query_id)
    text = json.dumps(response, ensure_ascii=False, separators=(",", ":"))
    # Lone surrogates cannot be encoded in UTF-8, so they are replaced by question marks.
    return Outcome(text.encode("utf-8", "replace"))


def answer(account: Account, session: Session, body: dict[str, Any], query_id: str) -> dict[str, Any]:
    """The response to one statement; never raises."""
    try:
        return _response(account, session, body, query_id)
    except SqlError as error:
        told = full_disk_error(error) or error
        return failed(told.code, told.message, told.sqlstate, query_id)
    except Exception as error:
        if (full := full_disk_error(error)) is not None:
            return failed(full.code, full.message, full.sqlstate, query_id)
        logger.exception("statement failed: %s", shown(body.get("sqlText")))
        message = f"local server error: {type(error).__name__}: {error}"
        return failed("000603", message, "XX000", query_id)


def _response(account: Account, session: Session, body: dict[str, Any], query_id: str) -> dict[str, Any]:
    sql = str(body.get("sqlText") or "")
    if body.get("describeOnly"):
        _check(sql)
        with with_parameters(_parameters(body)):
            counted(session, sql)
            values = positional(body.get("bindings") or {})
            result = account.execute(session, sql, values, describe_only=True, query_id=query_id)
            return success(account, session, result, query_id)
    with account.part(Queries).recorded(session, query_id, sql) as query:
        _check(sql)
        with with_parameters(_parameters(body)):
            query.tag = session.query_tag
            result = _executed(account, session, sql, body, query_id)
            query.rows = rows_of(result)
            return success(account, session, result, query_id)


def _check(sql: str) -> None:
    """Refuse a statement that is too long, or that no log can store."""
    if len(sql.encode("utf-8", "replace")) > STATEMENT_LIMIT:
        raise SqlError(
            f"SQL compilation error:\nThe statement is larger than {STATEMENT_LIMIT} bytes.", 1003, "54000"
        )
    if not _is_unicode(sql):
        raise SqlError("SQL compilation error:\nThe statement is not valid Unicode.", 1003, "42000")


def _executed(account: Account, session: Session, sql: str, body: dict[str, Any], query_id: str) -> Result:
    """The result of a statement, of one for many rows of values, or of several."""
    if body.get("bindStage"):
        raise not_emulated("values bound from a stage: set CLIENT_STAGE_ARRAY_BINDING_THRESHOLD to 0")
    bindings = body.get("bindings") or {}
    if any(isinstance(binding["value"], list) for binding in bindings.values()):
        return batch(account, session, sql, [one for _, one in in_order(bindings)], query_id)
    if len(statements := counted(session, sql)) > 1:
        return run_all(account, session, statements, positional(bindings), query_id)
    return account.execute(session, sql, positional(bindings), query_id=query_id)


def _parameters(body: dict[str, Any]) -> dict[str, Any]:
    """The session parameters that hold for this statement alone; raises SqlError for one that would be ignored."""
    given = _upper(body.get("parameters"))
    if "AUTOCOMMIT" in given:
        raise not_emulated("AUTOCOMMIT as a parameter of one statement")
    if (refusal := followed_parameters.unfollowed(given)) is not None:
        raise refusal
    return given


def _is_unicode(text: str) -> bool:
    """Whether the text can be encoded; JSON can contain lone surrogates, which no log can store."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def in_order(bindings: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(bindings.items(), key=lambda item: int(item[0]))


def positional(bindings: dict[str, Any]) -> list[Any]:
    """The values bound to `?`, in order."""
    return [bound_value(binding) for _, binding in in_order(bindings)]


TOLD = (
    *(
        "TIMEZONE",
        "DATE_OUTPUT_FORMAT",
        "TIME_OUTPUT_FORMAT",
        "TIMESTAMP_OUTPUT_FORMAT",
        "BINARY_OUTPUT_FORMAT",
    ),
    *("TIMESTAMP_NTZ_OUTPUT_FORMAT", "TIMESTAMP_LTZ_OUTPUT_FORMAT", "TIMESTAMP_TZ_OUTPUT_FORMAT"),
)
"""The parameters that each answer tells, because clients format its values by them."""


def success(account: Account, session: Session, result: Result, query_id: str) -> dict[str, Any]:
    if result.transfer is not None:
        data = {**result.transfer, "queryId": query_id}
    else:
        data = {
            "parameters": [
                *({"name": name, "value": settings.text(session, name)} for name in TOLD),
                *({"name": name, "value": value} for name, value in _told(result.parameters).items()),
            ],
            **payload(result, settings.number(session, "JSON_INDENT"), as_json=_is_json(session)),
            "queryId": query_id,
            "statementTypeId": result.statement_type_id,
            "finalDatabaseName": session.database,
            "finalSchemaName": session.schema,
            "finalWarehouseName": session.warehouse,
            "finalRoleName": session.role,
            **several.told(result, partial(account.part(Queries).result, session)),
        }
    return {"data": data, "code": None, "message": None, "success": True}


def _told(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that have been set, for the client to adopt; it goes on to send all values with the statement."""
    return {
        name: value for name, value in parameters.items() if name != "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD"
    }


def _is_json(session: Session) -> bool:
    """Whether the client wants rows as JSON in place of Arrow."""
    formats = (value_of(name, session.parameters) for name in FORMATS)
    return next((str(one).upper() == "JSON" for one in formats if one is not None), False)


FORMATS = ("PYTHON_CONNECTOR_QUERY_RESULT_FORMAT", "QUERY_RESULT_FORMAT")
"""The first one that is set counts."""


async def fetch(request: Request) -> Response:
    """GET /queries/<id>/result: what an earlier statement of this user answered, once it has ended."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    account, query_id = account_of(request), request.path_params["query_id"]
    if (task := _running(account, session, query_id)) is not None:
        return Response((await asyncio.shield(task)).body, media_type="application/json")
    query = _query_of(account, session, query_id)
    if query is not None and (error := query.error) is not None:
        return JSONResponse(failed(error.code, error.message, error.sqlstate, query_id))
    try:
        result = account.part(Queries).result(session, query_id)
    except SqlError as error:
        return failure(error.code, error.message, error.sqlstate)
    return JSONResponse(await in_thread(partial(success, account, session, result, query_id)))


def _running(account: Account, session: Session, query_id: str) -> asyncio.Task[Outcome] | None:
    """The work on a statement of this user, while it goes on."""
    of_user = (one.outcomes.task(query_id) for one in account.sessions if one.user == session.user)
    return next((task for task in of_user if task is not None), None)


def _query_of(account: Account, session: Session, query_id: str) -> Query | None:
    """A statement of this user; those of others are not known."""
    query = account.part(Queries).get(query_id)
    return query if query is not None and query.user == session.user else None


async def session_endpoint(request: Request) -> JSONResponse:
    """POST /session: heartbeat, or with ?delete=true the end of the session."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    if request.query_params.get("delete", "").lower() == "true":
        await in_thread(partial(account_of(request).sessions.close, session))
    return accepted()


async def state(request: Request) -> JSONResponse:
    """GET /monitoring/queries/<id>: the state of a statement of this user."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    account, query_id = account_of(request), request.path_params["query_id"]
    queries: list[dict[str, Any]] = []
    if _running(account, session, query_id) is not None:
        queries = [{"id": query_id, "status": "RUNNING"}]
    elif (query := _query_of(account, session, query_id)) is not None:
        queries = [{"id": query_id, "status": query.status, **_error_of(query)}]
    return JSONResponse({"data": {"queries": queries}, "code": None, "message": None, "success": True})


def _error_of(query: Query) -> dict[str, str]:
    return {} if query.error is None else {"errorCode": query.error.code, "errorMessage": query.error.message}


async def abort(request: Request) -> JSONResponse:
    """POST /queries/v1/abort-request: cancel the statement of a request, or those of the session."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    account, query_id = (
        account_of(request),
        session.outcomes.query_id(str((await body_of(request)).get("requestId"))),
    )
    query = None if query_id is None else account.part(Queries).get(query_id)
    if query is None:
        await in_thread(partial(cancel_session, account, session.id))
    else:
        await in_thread(partial(cancel_query, account, query))
    return accepted()


async def abort_one(request: Request) -> JSONResponse:
    """POST /queries/<id>/abort-request: cancel a statement of this user."""
    session = session_of(request)
    if session is None:
        return failure(*SESSION_GONE)
    account = account_of(request)
    query = _query_of(account, session, request.path_params["query_id"])
    if query is None or not await in_thread(partial(cancel_query, account, query)):
        return failure("000605", NOT_EXECUTING, "57014")
    return accepted()


NOT_EXECUTING = "Identified SQL statement is not currently executing."


async def renew(request: Request) -> JSONResponse:
    """POST /session/token-request: returns the current token, because tokens do not expire."""
    body = await body_of(request)
    session = account_of(request).sessions.by_token(str(body.get("oldSessionToken", "")))
    if session is None or not is_same(session.master_token, _token(request.headers.get("Authorization", ""))):
        return failure(*LOGIN_GONE)
    data = {
        "sessionToken": session.token,
        "masterToken": session.master_token,
        "validityInSecondsST": VALID_SECONDS,
        "validityInSecondsMT": VALID_SECONDS,
        "sessionId": session.id,
    }
    return JSONResponse({"data": data, "code": None, "message": None, "success": True})


def accepted() -> JSONResponse:
    return JSONResponse({"data": None, "code": None, "message": None, "success": True})


async def telemetry(request: Request) -> JSONResponse:
    """POST /telemetry/send: the clients' telemetry is discarded."""
    return accepted() if session_of(request) is not None else failure(*SESSION_GONE)


ROUTES = (
    Route("/session/v1/login-request", login, methods=["POST"]),
    Route("/session", session_endpoint, methods=["POST"]),
    Route("/session/heartbeat", session_endpoint, methods=["POST"]),
    Route("/queries/v1/query-request", query, methods=["POST"]),
    Route("/queries/v1/abort-request", abort, methods=["POST"]),
    Route("/queries/{query_id}/abort-request", abort_one, methods=["POST"]),
    Route("/queries/{query_id}/result", fetch, methods=["GET"]),
    Route("/monitoring/queries/{query_id}", state, methods=["GET"]),
    Route("/session/token-request", renew, methods=["POST"]),
    Route("/telemetry/send", telemetry, methods=["POST"]),
)
