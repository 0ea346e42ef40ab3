"""Translates the exceptions of Snowflake's clients into those of `sfml.base.errors`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from sfml.base.errors import (
    AccountBusy,
    AccountError,
    AnswerLost,
    ConnectionFailed,
    DiskFull,
    MissingPrivilege,
    SfmlError,
)
from sfml.base.full_disk import is_disk_full
from sfml.snowflake.rest import RestRefusal

_VENDORED = "snowflake.connector.vendored."
"""The connector's own copies of requests and urllib3."""

_NO_PRIVILEGE = ("003001", "3001", "390186")
_AGAIN = "run the command again"
_NOT_REACHED = ("250001", "250003", "251001")
_COLLIDED = ("091423", "91423")
"""Codes of a change that was aborted because the same graph was changed at the same time."""
_NO_ROLE = ("390186", "390189")
_WRONG_LOGIN = ("250001", "251006", "390100", "390104", "390303")


@contextmanager
def translated(*, role: str | None = None) -> Iterator[None]:
    """Translate exceptions of the clients that leave the block into `SfmlError`s, with the cause kept."""
    try:
        yield
    except SfmlError:
        raise
    except Exception as cause:
        error = _translation(cause, role)
        if error is None:
            raise
        raise error from cause


def _translation(cause: Exception, role: str | None) -> SfmlError | None:
    if is_disk_full(cause):
        return DiskFull(
            f"the disk is full: {_sentence(cause)}",
            help="free disk space for the data of the local Snowflake (.sfml/local) and for temporary files,"
            " then run the command again: incomplete files are written again",
        )
    module = type(cause).__module__
    if module.startswith("snowflake.core") or isinstance(cause, RestRefusal):
        return _from_rest(cause)
    if module.startswith("snowflake.snowpark"):
        return AccountError(_sentence(cause), code=str(getattr(cause, "sql_error_code", "") or "") or None)
    if module.startswith("snowflake.connector.") and not module.startswith(_VENDORED):
        return _from_connector(cause, role)
    if module.startswith(("urllib3", "requests", "http.client", _VENDORED)) or isinstance(
        cause, ConnectionError
    ):
        return AnswerLost(
            f"the connection broke: {_sentence(cause)}",
            help="look whether the account or the local server can be reached, then run the command again",
        )
    return None


def _from_connector(cause: Exception, role: str | None) -> SfmlError:
    code = str(getattr(cause, "errno", "") or "")
    sentence = _sentence(cause)
    kind = type(cause).__name__
    if sentence.startswith("Unknown authenticator"):
        return ConnectionFailed(
            sentence,
            help="set the entry's `authenticator` to one that Snowflake knows: snowflake, externalbrowser, oauth, …",
        )
    if sentence.startswith("Invalid connection_name"):
        return ConnectionFailed(
            sentence[0].lower() + sentence[1:],
            help="add it to Snowflake's connections.toml (`snow connection add`),"
            " or correct the target's `connection:`",
        )
    if code in _NO_ROLE or "specified in the connect string is not granted" in sentence:
        return MissingPrivilege(
            sentence,
            code=code,
            help="nothing was changed; grant the role to the user, or correct `owner_role:`",
        )
    if (
        kind in {"OperationalError", "ForbiddenError", "RetryRequest", "InterfaceError"}
        or code in _NOT_REACHED
    ):
        return ConnectionFailed(
            f"no connection to Snowflake: {sentence}",
            help="check the connection's account, user and credentials, and the network",
        )
    if code in _WRONG_LOGIN or (kind == "DatabaseError" and code.startswith("25")):
        return ConnectionFailed(
            f"Snowflake did not let us in: {sentence}",
            help="check the connection's user and credentials in connections.toml",
        )
    if code in _NO_PRIVILEGE or "insufficient privileges" in sentence.lower():
        return MissingPrivilege(
            sentence,
            code=code,
            help=f"grant it to role {role}" if role else "grant it to the target's owner role",
        )
    if code in _COLLIDED:
        return AccountBusy(sentence, help=_AGAIN, collided=True)
    return AccountError(sentence, code=code or None)


def _from_rest(cause: Exception) -> SfmlError:
    status = getattr(cause, "status", None)
    message, code = _body(cause)
    if status in (401, 403):
        return MissingPrivilege(message, code=code, help="grant it to the target's owner role")
    if code in _COLLIDED:
        return AccountBusy(message, help=_AGAIN, collided=True)
    if status in (429, 503):
        return AccountBusy(f"Snowflake is busy: {message}", help=_AGAIN)
    if status in (202, 504):
        return AnswerLost(f"Snowflake did not answer in time: {message}", help=_AGAIN)
    return AccountError(message, code=code)


def _body(cause: Exception) -> tuple[str, str | None]:
    """The message and the code in the body of a REST error."""
    body = getattr(cause, "body", None)
    try:
        parsed = json.loads(body) if isinstance(body, str | bytes) else {}
    except ValueError:
        parsed = {}
    message = parsed.get("message") or getattr(cause, "reason", None) or _sentence(cause)
    code = parsed.get("code") or parsed.get("error_code")
    return str(message), None if code is None else str(code)


def _sentence(cause: Exception) -> str:
    """The message of a client's exception, without the client's prefix."""
    return str(getattr(cause, "raw_msg", None) or getattr(cause, "msg", None) or cause).strip()
