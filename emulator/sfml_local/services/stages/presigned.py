"""GET_PRESIGNED_URL: an address from which anyone who knows it can read one file for a while.

https://docs.snowflake.com/en/sql-reference/functions/get_presigned_url
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.limits import Refused
from sfml_local.services.stages.locations import locate

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

SECONDS = 3600
MOST_SECONDS = 604_800
KEPT = 10_000
"""The most valid addresses; the oldest are dropped first."""


@dataclass(frozen=True, slots=True)
class _Signed:
    file: Path
    until: float


class SignedAddresses:
    """The addresses that an account has given out, by token."""

    def __init__(self, account: Account) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, _Signed] = {}

    def add(self, file: Path, seconds: int) -> str:
        """A token for a file."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._files) >= KEPT:
                self._files.pop(next(iter(self._files)))
            self._files[token] = _Signed(file, time.monotonic() + seconds)
        return token

    def find(self, token: str) -> Path | None:
        """The file of a token that is still valid."""
        found = self._files.get(token)
        return None if found is None or found.until < time.monotonic() else found.file


def presigned_url(account: Account, session: Session, arguments: tuple[Any, ...]) -> str:
    """GET_PRESIGNED_URL(stage, path [, seconds])."""
    stage, path, *given = arguments
    seconds = int(given[0]) if given else SECONDS
    if not 0 < seconds <= MOST_SECONDS:
        raise SqlError(
            f"Expiration time {seconds} must be between 1 and {MOST_SECONDS} seconds.", 1008, "22023"
        )
    file = locate(account, session, f"{str(stage).rstrip('/')}/{str(path).lstrip('/')}").file()
    if not file.is_file():
        raise does_not_exist("File", path)
    token = account.part(SignedAddresses).add(file, seconds)
    return f"http://{account.host}:{account.port}/files/{token}/{file.name}"


async def read(request: Request) -> Response:
    account: Account = request.app.state.account
    file = account.part(SignedAddresses).find(request.path_params["token"])
    if file is None:
        return Refused(401, "390112", "The address is not valid, or not any more.").response()
    if not file.is_file():
        return Refused(404, "391404", "The file is not there any more.").response()
    return FileResponse(file, media_type="application/octet-stream")


SYSTEM_FUNCTIONS = {"GET_PRESIGNED_URL": presigned_url}
