"""`snow://model/<name>/versions/<version>/<path>`: a version's files as a location for LIST, GET and PUT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.names import resolve
from sfml_local.core.place import Place
from sfml_local.services.models.store import get_model

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

SCHEME = "snow://model/"


def locate(account: Account, session: Session, url: str) -> Place:
    """The folder and path that a `snow://model/…` address names; raises SqlError."""
    if not url.startswith(SCHEME):
        raise SqlError(f"SQL compilation error:\ninvalid URL '{url}'", 1003, "42000")
    name, separator, rest = url.removeprefix(SCHEME).partition("/versions/")
    if not separator:
        raise SqlError(f"SQL compilation error:\ninvalid URL '{url}': it names no version", 1003, "42000")
    model = get_model(account, resolve(name, session))
    written, _, path = rest.partition("/")
    # The client writes a version's stored name without quotes; SQL written by hand may use any case.
    plain = written.strip('"')
    version = model.find(plain) or model.find(plain.upper())
    if version is None:
        raise does_not_exist("Version", written)
    return Place(version.folder, path, f"versions/{version.name}/", version.live)
