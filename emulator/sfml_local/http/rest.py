"""Snowflake's REST API: all requests to /api/v2, for the resources of every service.

A family's OPERATIONS maps `METHOD /path` as the OpenAPI specification writes it to a function of a `Call`.
https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference
"""

from __future__ import annotations

import hmac
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sfml_local.core.deep import SHORT, in_thread
from sfml_local.core.errors import SqlError
from sfml_local.core.full_disk import full_disk_error
from sfml_local.core.limits import NotJson, Refused, parsed_json, read_body
from sfml_local.core.log_format import shown
from sfml_local.core.naming_locks import NamingLocks
from sfml_local.core.rest_call import Accepted, Call, Handler, Operations, identifier
from sfml_local.grammar.tokens import SqlSyntaxError
from sfml_local.http import rest_results
from sfml_local.http.protocol import SESSION_GONE, account_of, session_of

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

logger = logging.getLogger("sfml_local")


BASE = "/api/v2"
METHODS = frozenset({"GET", "POST", "PUT", "DELETE"})
"""The methods of the API; accounts do not know PATCH."""


# -- finding the operation


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One path of the specification: its segments and the function of each method."""

    segments: tuple[str, ...]
    handlers: Mapping[str, Handler]

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The parameters in a path of as many segments, still percent-encoded, or None if it does not match."""
        found: dict[str, str] = {}
        for wanted, given in zip(self.segments, segments, strict=True):
            if not wanted.startswith("{"):
                if wanted != given:
                    return None
                continue
            key, _, action = wanted[1:].partition("}")
            # A colon that belongs to a name is percent-encoded.
            name, colon, asked = given.partition(":")
            if not name or colon + asked != action:
                return None
            found[key] = name
        return found


def patterns(operations: Operations) -> tuple[_Pattern, ...]:
    by_path: dict[str, dict[str, Handler]] = {}
    for operation, handler in operations.items():
        method, _, path = operation.partition(" ")
        by_path.setdefault(path, {})[method] = handler
    # Paths without parameters first, because `instance-families` is not a compute pool.
    ordered = sorted(by_path.items(), key=lambda item: item[0].count("{"))
    return tuple(_Pattern(tuple(path.strip("/").split("/")), handlers) for path, handlers in ordered)


# -- HTTP


def routes(operations: Operations) -> tuple[Route, ...]:
    known = patterns({**operations, "GET /results/{id}": _result})

    async def endpoint(request: Request) -> Response:
        """Any operation: in a thread, for the session of the token, errors as Snowflake's JSON."""
        body = await read_body(request)  # the Snowflake CLI sends compressed bodies through the connector
        return await in_thread(partial(_admit, known, request, body), deep=len(body) > SHORT)

    # One route for all, because a quoted name may contain a slash, which Starlette would take for a separator.
    return (Route(BASE + "/{path:path}", endpoint, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),)


def _admit(known: tuple[_Pattern, ...], request: Request, body: bytes) -> Response:
    session = session_of(request)
    if session is not None:
        return _answer(known, request, session, body)
    account = account_of(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), account.token.encode()):
        return failure(401, *SESSION_GONE)
    # The server's token as a programmatic access token: a session for this one call.
    session = account.sessions.open()
    try:
        return _answer(known, request, session, body)
    finally:
        account.sessions.close(session)


def _answer(known: tuple[_Pattern, ...], request: Request, session: Session, body: bytes) -> Response:
    if request.method not in METHODS:
        return Response(status_code=404)
    if not _is_json(request, body):
        return Response(status_code=415)
    segments = _raw_segments(request)
    alike = (pattern for pattern in known if len(pattern.segments) == len(segments))
    matches = ((pattern, found) for pattern in alike if (found := pattern.match(segments)) is not None)
    asked = f"{request.method} {request.url.path}"
    if (match := next(matches, None)) is None:
        return _unknown(known, segments, asked)
    pattern, found = match
    handler = pattern.handlers.get(request.method)
    if handler is None:
        return _not_allowed(pattern, request.method, asked)
    try:
        call = _call(request, session, found, body)
        if call is None:
            return Response(status_code=400)
        answer = handler(call) if request.method == "GET" else _changed(handler, call)
        if call.truth("asyncExec") and not isinstance(answer, Accepted):
            answer = Accepted(answer)
        return _response(account_of(request), answer)
    except SqlError as error:
        told = full_disk_error(error) or error
        return failure(status_of(told), told.code, told.message)
    except SqlSyntaxError as error:
        return failure(400, "001003", str(error))
    except Refused as refused:
        return failure(refused.status, refused.code, refused.message)
    except Exception as error:  # the client can only read JSON, also for internal errors
        if (full := full_disk_error(error)) is not None:
            return failure(507, full.code, full.message)
        logger.exception("request failed: %s", shown(asked))
        return failure(500, "000603", f"local server error: {type(error).__name__}: {error}")


NOT_EMULATED = frozenset(
    {
        *("accounts", "api-integrations", "artifact-repositories", "catalog-integrations", "code-bundles"),
        *("code-bundle-executions", "cortex", "cortex-search-services", "database-roles", "external-volumes"),
        *(
            "failover-groups",
            "git-repositories",
            "listings",
            "managed-accounts",
            "models",
            "network-policies",
        ),
        *("password-policies", "secrets", "sequences", "services", "streamlits", "tag-references", "grants"),
        *("functions", "network-rules", "images", "future-grants", "grants-of", "grants-on", "session"),
        "spark-connect",
    }
)
"""Resources of the specification that nothing here answers for."""
NOT_CHANGED: Mapping[str, frozenset[str]] = {
    "POST": frozenset({"event-tables", "iceberg-tables", "notebooks", "pipes", "tags", "users"}),
    "PUT": frozenset({"alerts", "event-tables", "notebooks", "pipes", "tables", "tags", "users"}),
    "DELETE": frozenset({"event-tables", "iceberg-tables", "notebooks", "pipes", "users"}),
}
"""Method → resources of the specification that are listed or fetched here, and not changed by it."""


def _unknown(known: tuple[_Pattern, ...], segments: list[str], asked: str) -> Response:
    """A path that no operation has: one of the specification is not emulated, as a 404 would say "no such object"."""
    answered = {segment for pattern in known for segment in pattern.segments}
    resource, colon, _ = segments[-1].partition(":")
    is_action = bool(colon) and bool(answered & {*segments[:-1], resource})
    if is_action or NOT_EMULATED & set(segments):
        return failure(405, "000002", f"Unsupported feature: not emulated by the local server: {asked}")
    return failure(404, "000002", f"No such operation: {asked}")


def _not_allowed(pattern: _Pattern, method: str, asked: str) -> Response:
    """405: with a sentence if an account has the operation, which answers without one if it does not."""
    headers = {"Allow": ", ".join(sorted(pattern.handlers))}
    resource = next((one for one in reversed(pattern.segments) if not one.startswith("{")), "")
    if resource not in NOT_CHANGED.get(method, ()):
        return Response(status_code=405, headers=headers)
    words = f"Unsupported feature: not emulated by the local server: {asked}"
    return failure(405, "000002", words, **headers)


def _changed(handler: Handler, call: Call) -> Any:
    """The answer of an operation that may change an object, after those that change one of the same name."""
    if (name := call.changed_name) is None:
        return handler(call)
    with call.account.part(NamingLocks).holding(name):
        return handler(call)


def _is_json(request: Request, body: bytes) -> bool:
    """Whether a body's content type is JSON or missing; accounts refuse all others."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return not body or kind in ("", "application/json")


def _call(request: Request, session: Session, found: dict[str, str], body: bytes) -> Call | None:
    """The parsed request; None if its body is not JSON, which accounts refuse without a message."""
    try:
        parsed = parsed_json(body) if body.strip() else None
    except NotJson:
        return None
    names = {key: unquote(text) if key == "id" else identifier(unquote(text)) for key, text in found.items()}
    return Call(account_of(request), session, names, dict(request.query_params), parsed)


def _raw_segments(request: Request) -> list[str]:
    """The segments below /api/v2, still percent-encoded."""
    raw: str = request.scope.get("raw_path", request.url.path.encode()).decode("ascii")
    return raw.partition("?")[0].removeprefix(BASE).strip("/").split("/")


def _response(account: Account, answer: Any) -> Response:
    headers = {"X-Snowflake-Request-ID": str(uuid.uuid4())}
    if isinstance(answer, Accepted):
        handle = rest_results.keep(account, [answer.answer])
        message = (
            "Request execution in progress. Use the provided location header or result handler ID "
            "to perform query monitoring and management."
        )
        headers["Location"] = f"{BASE}/results/{handle}"
        # The specification spells it resultHandler, accounts do not.
        body = {"code": "392604", "message": message, "result_handler": handle}
        return JSONResponse(body, 202, headers=headers)
    if isinstance(answer, list) and len(answer) > account.settings.rest_page:
        pages = rest_results.pages(answer, account.settings.rest_page)
        handle = rest_results.keep(account, pages)
        headers["Link"] = rest_results.link(f"{BASE}/results/{handle}", 0, len(pages))
        answer = pages[0]
    return JSONResponse(answer, headers=headers)


def _result(call: Call) -> Any:
    """GET /results/{id}?page=N: a page of a long list, or the result after a 202."""
    page = call.options.get("page", "0")
    pages = rest_results.kept(call.account, call.path["id"])
    if pages is None or not page.isdigit() or int(page) >= len(pages):
        raise SqlError(f"Result {call.path['id']}, page {page}, does not exist.", 2043, "02000")
    return pages[int(page)]


def status_of(error: SqlError) -> int:
    """The HTTP status of an error of the account."""
    return {2003: 404, 2043: 404, 2002: 409, 3001: 403, 2: 405}.get(error.errno, 400)


def failure(status: int, code: str, message: str, **headers: str) -> JSONResponse:
    request_id = str(uuid.uuid4())
    return JSONResponse(
        {"message": message, "code": code, "error_code": code, "request_id": request_id},
        status,
        headers={"X-Snowflake-Request-ID": request_id, **headers},
    )
