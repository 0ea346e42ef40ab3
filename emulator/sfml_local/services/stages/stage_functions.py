"""Functions of stages and their files: DIRECTORY(@stage), and locations without quotes as arguments.

https://docs.snowflake.com/en/user-guide/data-load-dirtables · /sql-reference/functions-file
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlglot import Expr, exp

from sfml_local.core.account import SystemFunction
from sfml_local.core.errors import SqlError, does_not_exist, not_emulated
from sfml_local.core.names import ObjectName, resolve
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.place import Place
from sfml_local.core.result import Result, columns
from sfml_local.core.rewriting import substitute
from sfml_local.services.stages import presigned, staged_files, store
from sfml_local.services.stages.locations import locate

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.rewriting import Rewriting
    from sfml_local.core.session import Session

_OF_STAGES = frozenset({"GET_PRESIGNED_URL", "BUILD_SCOPED_FILE_URL", "BUILD_STAGE_FILE_URL"})
_ABSENT = frozenset({"GET_STAGE_LOCATION", "GET_RELATIVE_PATH", "GET_ABSOLUTE_PATH"})
_DAY = 86_400


@looks_for(exp.Anonymous)
def locations_without_quotes(tree: Expr, rewriting: Rewriting) -> Expr:
    """The statement with `@stage` in the place of an argument as a text, which functions take."""
    for node in tree.find_all(exp.Anonymous):
        name = str(node.this).upper()
        if name in _ABSENT:
            raise not_emulated(f"function {name}")
        if name in _OF_STAGES and node.expressions:
            first = node.expressions[0]
            if _begins_with_stage(first):
                text = re.sub(r"\s*/\s*", "/", first.sql(dialect="snowflake"))
                first.replace(exp.Literal.string(f"@{text.lstrip('$@')}"))
            if len(node.expressions) > 1 and node.expressions[1].find(exp.Column) is not None:
                tree = substitute(tree, node, _of_paths(node, name, rewriting))
    return tree


def _of_paths(node: exp.Anonymous, name: str, rewriting: Rewriting) -> Expr:
    """The address of a path that is told by a column: one of the addresses of all files of the stage."""
    account, session = rewriting.account, rewriting.session
    stage, path, *seconds = node.expressions
    location = str(stage.this)
    if not all(isinstance(one, exp.Literal) and one.is_int for one in seconds):
        raise not_emulated(f"{name} with an expiration that is no number")
    rows = [
        (key, _ADDRESSES[name](account, session, (location, key, *(int(one.name) for one in seconds))))
        for key in locate(account, session, location).paths()
    ]
    table = rewriting.relation(
        Result(columns("STAGED_PATH STAGED_URL"), tuple(rows)), exp.TableAlias(this=_ALIAS)
    )
    told = exp.column("STAGED_PATH", table=_ALIAS).eq(path.copy())
    query = exp.select(exp.column("STAGED_URL", table=_ALIAS)).from_(table).where(told)
    return exp.Paren(this=exp.Subquery(this=query))


def _begins_with_stage(node: Expr) -> bool:
    while isinstance(node, exp.Dot | exp.Div):
        node = node.this
    return isinstance(node, exp.Parameter)


# -- DIRECTORY


@looks_for(exp.DirectoryStage)
def directories(tree: Expr, rewriting: Rewriting) -> Expr:
    """Let queries of DIRECTORY(@stage) read a row for each file of the stage."""
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, exp.DirectoryStage):
            rows = _directory(rewriting.account, rewriting.session, str(table.this.this.this))
            table.replace(rewriting.relation(rows, table.args.get("alias")))
    return tree


def _directory(account: Account, session: Session, location: str) -> Result:
    """The files of a stage as they are now; a directory is never out of date here."""
    place = locate(account, session, location)
    name = _stage(account, session, location)
    row = store.find(account, name)
    if row is None or not row["directory"]:
        raise no_directory(name)
    described = columns("RELATIVE_PATH SIZE:fixed LAST_MODIFIED:timestamp_ltz MD5 ETAG FILE_URL")
    return Result(described, tuple(file_row(account, place, name, key) for key in place.paths()))


def no_directory(name: ObjectName) -> SqlError:
    words = f"Stage {name.fqn()} has no directory table enabled."
    return SqlError(f"SQL compilation error:\n{words}", 1003, "42000")


def file_row(account: Account, place: Place, name: ObjectName, key: str) -> tuple[Any, ...]:
    """The row of a file in the directory of its stage."""
    file = place.file(key)
    info, digest = file.stat(), staged_files.md5(file)
    modified = datetime.datetime.fromtimestamp(int(info.st_mtime), datetime.UTC)
    return key, info.st_size, modified, digest, digest, _stage_url(account, name, key)


def _stage(account: Account, session: Session, location: str) -> ObjectName:
    text, _, _ = location.removeprefix("@").partition("/")
    if text.startswith(("~", "%")) or "%" in text:
        raise not_emulated(f"a directory of '{location}'", "user stages and stages of tables have none")
    return resolve(text, session)


# -- addresses


def _stage_url(account: Account, name: ObjectName, path: str) -> str:
    place = "/".join(quote(part, safe="") for part in name.parts)
    return f"http://{account.host}:{account.port}/api/files/{place}/{quote(path)}"


def _stage_file_url(account: Account, session: Session, arguments: tuple[Any, ...]) -> str | None:
    """BUILD_STAGE_FILE_URL(stage, path), whether or not there is such a file; nothing answers at it here."""
    stage, path = _two("BUILD_STAGE_FILE_URL", arguments)
    if stage is None or path is None:
        return None
    name = _stage(account, session, str(stage))
    if store.find(account, name) is None:
        raise does_not_exist("Stage", name.fqn())
    return _stage_url(account, name, str(path).lstrip("/"))


def _scoped_file_url(account: Account, session: Session, arguments: tuple[Any, ...]) -> str | None:
    """BUILD_SCOPED_FILE_URL(stage, path): an address that is valid for a day."""
    stage, path = _two("BUILD_SCOPED_FILE_URL", arguments)
    if stage is None or path is None:
        return None
    return presigned.presigned_url(account, session, (stage, path, _DAY))


def _two(function: str, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    if len(arguments) != 2:
        word = "not enough" if len(arguments) < 2 else "too many"
        message = f"{word} arguments for function [{function}], expected 2, got {len(arguments)}"
        raise SqlError(f"SQL compilation error: error line 1 at position 7\n{message}", 938, "22023")
    return arguments[0], arguments[1]


_ALIAS = exp.to_identifier("_sfml_staged", quoted=True)
_ADDRESSES: Mapping[str, SystemFunction] = {
    "BUILD_STAGE_FILE_URL": _stage_file_url,
    "BUILD_SCOPED_FILE_URL": _scoped_file_url,
    **presigned.SYSTEM_FUNCTIONS,
}
SYSTEM_FUNCTIONS = {
    "BUILD_STAGE_FILE_URL": _stage_file_url,
    "BUILD_SCOPED_FILE_URL": _scoped_file_url,
}
