"""Resolves `@db.schema.stage/path`, `@~/path`, `@%table/path` and `snow://…` to folders and paths."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.place import Place
from sfml_local.grammar.quoting import quoted_if_needed
from sfml_local.grammar.tokens import SqlSyntaxError, parse_name
from sfml_local.services.stages import store

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


def locate(account: Account, session: Session, text: str) -> Place:
    """The place of a location; raises SqlError if its stage does not exist, or its path leads out of it."""
    place = replace(_located(account, session, text), warn=account.noticed.once)
    place.file()
    return place


def local_path(account: Account, session: Session, location: str) -> Path:
    """The file or folder of a location; its stage must exist, the file need not."""
    return locate(account, session, location).file()


def full(session: Session, text: str) -> str:
    """A location with its stage's full name, which does not depend on the session's current schema."""
    if not text.startswith("@") or text[1:2] in ("~", "%"):
        return text
    name, slash, path = _split(text[1:])
    return text if _table_of_stage(name) is not None else f"@{_stage_name(name, session).fqn()}{slash}{path}"


def _located(account: Account, session: Session, text: str) -> Place:
    schemes = (one for one in sorted(account.locators, key=len, reverse=True) if text.startswith(one))
    if (scheme := next(schemes, None)) is not None:
        return account.locators[scheme](account, session, text)
    if not text.startswith("@"):
        raise SqlError(f"SQL compilation error:\ninvalid stage location '{text}'", 1011, "42601")
    name, _, path = _split(text[1:])
    path = path.lstrip("/")
    if name == "~":
        return Place(_folder(account, "user", session.user), path)
    if (table := _table_of_stage(name)) is not None:
        return Place(_table_stage(account, session, table), path)
    full = _stage_name(name, session)
    row = store.find(account, full)
    if row is None:
        raise does_not_exist("Stage", full.fqn())
    return Place(account.stages_folder / row["folder"], path, f"{full.name.lower()}/")


def _split(text: str) -> tuple[str, str, str]:
    """The stage's name and the path, split at the first slash outside double quotes."""
    quoted = False
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "/" and not quoted:
            return text[:index], "/", text[index + 1 :]
    return text, "", ""


def _stage_name(text: str, session: Session) -> ObjectName:
    try:
        return resolve(parse_name(text), session)
    except SqlSyntaxError as cause:
        raise SqlError(f"SQL compilation error:\ninvalid stage name '{text}'", 1003, "42000") from cause


def _table_of_stage(text: str) -> str | None:
    """The table of a table stage: `%t`, `db.schema.%t`; a `%` in quotes is part of the name."""
    start, quoted = 0, False
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            start = index + 1
    return text[:start] + text[start + 1 :] if text[start : start + 1] == "%" else None


def _table_stage(account: Account, session: Session, text: str) -> Path:
    """The folder of a table stage, `@%table`, which exists if the table does."""
    table = _stage_name(text, session)
    if not account.engine.columns(session, table):
        raise does_not_exist("Stage", f'{table.database}.{table.schema}."%{table.name}"')
    return _folder(account, "table", table.fqn())


def forget_table(account: Account, table: ObjectName) -> None:
    """Delete the files of a table that is gone."""
    shutil.rmtree(_path(account, "table", table.fqn()), ignore_errors=True)


def forget_tables(account: Account, database: str, schema: str) -> None:
    """Delete the files of all tables of a schema that is gone."""
    place = ".".join(map(quoted_if_needed, (database, schema)))
    beginning = _path(account, "table", f"{place}.").name
    for folder in list(account.stages_folder.iterdir()):
        if folder.name.startswith(beginning):
            shutil.rmtree(folder, ignore_errors=True)


def move_table(account: Account, table: ObjectName, new: ObjectName) -> None:
    """Keep the files of a table under its new name."""
    old = _path(account, "table", table.fqn())
    if old.is_dir():
        forget_table(account, new)
        old.rename(_path(account, "table", new.fqn()))


def _path(account: Account, kind: str, name: str) -> Path:
    return account.stages_folder / f"{kind}-{quote(name, safe='')}"


def _folder(account: Account, kind: str, name: str) -> Path:
    folder = _path(account, kind, name)
    folder.mkdir(exist_ok=True)
    return folder
