"""Where files are: `@db.schema.stage/path`, `@~/path`, `@%table/path` and `snow://…` as folders and paths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from sfml_local.core.errors import SqlError, does_not_exist
from sfml_local.core.log_format import logger
from sfml_local.core.names import ObjectName, resolve
from sfml_local.grammar.tokens import SqlSyntaxError, parse_name

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session


_left_out: set[Path] = set()
"""What was named in the log already."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stage's folder, a path in it, how LIST begins the names of its files, and whether files may be put."""

    root: Path
    path: str = ""
    prefix: str = ""
    writable: bool = True

    def file(self, key: str | None = None) -> Path:
        """The file or folder of a path in the stage; raises SqlError when that leaves the stage."""
        return within(self.root, self.path if key is None else key)

    def paths(self) -> Iterator[str]:
        """The paths of all files below this one's path, which is a prefix, sorted.

        A link that leads out of the stage or nowhere, a pipe or a socket is no file of it.
        """
        found = (
            (Path(folder) / name).relative_to(self.root).as_posix()
            for folder, _, names in os.walk(self.root)
            for name in names
        )
        keys = sorted(key for key in found if key.startswith(self.path))
        return iter([key for key in keys if self._is_file(key)])

    def _is_file(self, key: str) -> bool:
        file = self.root / key
        if file.is_file() and (not file.is_symlink() or is_within(self.root, file)):
            return True
        if file not in _left_out:
            _left_out.add(file)
            logger.warning("%r is left out of its stage: it is no file in it", str(file))
        return False


def is_within(root: Path, target: Path) -> bool:
    """Whether a path is below a folder once all links are followed."""
    return Path(os.path.realpath(target)).is_relative_to(os.path.realpath(root))


def within(root: Path, path: str) -> Path:
    """A path below a folder; nothing that a client writes leads out of it, links included."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    target = root.joinpath(*(part for part in parts if part != "/"))
    if ".." in parts or not is_within(root, target):
        raise SqlError(f"SQL compilation error:\ninvalid path '{path}': it leaves the stage", 1011, "42601")
    return target


def locate(account: Account, session: Session, text: str) -> Place:
    """The place that a location names; raises SqlError when its stage does not exist or its path leaves it."""
    place = _located(account, session, text)
    place.file()
    return place


def full(session: Session, text: str) -> str:
    """A location with its stage's full name, which means the same wherever the session goes."""
    if not text.startswith("@") or text[1:2] in ("~", "%"):
        return text
    name, slash, path = _split(text[1:])
    return text if _table_of_stage(name) is not None else f"@{_stage_name(name, session).fqn()}{slash}{path}"


def _located(account: Account, session: Session, text: str) -> Place:
    if text.startswith("snow://dataset/"):
        from sfml_local.services.datasets import sql as datasets

        return Place(*datasets.locate(account, session, text), writable=False)
    if text.startswith("snow://"):
        from sfml_local.services.models import locations

        found = locations.locate(account, session, text)
        return Place(found.root, found.path, found.prefix, found.writable)
    if not text.startswith("@"):
        raise SqlError(f"SQL compilation error:\ninvalid stage location '{text}'", 1011, "42601")
    name, _, path = _split(text[1:])
    path = path.lstrip("/")
    if name == "~":
        return Place(_folder(account, "user", session.user), path)
    if (table := _table_of_stage(name)) is not None:
        return Place(_table_stage(account, session, table), path)
    full = _stage_name(name, session)
    row = account.store.row(
        "SELECT folder FROM stages WHERE database = ? AND schema = ? AND name = ?",
        (full.database, full.schema, full.name),
    )
    if row is None:
        raise does_not_exist("Stage", full.fqn())
    return Place(account.stages_folder / row["folder"], path, f"{full.name.lower()}/")


def _split(text: str) -> tuple[str, str, str]:
    """The stage's name and the path, parted at the first slash outside double quotes."""
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
    """The table whose own stage is named: `%t`, `db.schema.%t`; a `%` in quotes is a letter like any other."""
    start, quoted = 0, False
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif character == "." and not quoted:
            start = index + 1
    return text[:start] + text[start + 1 :] if text[start : start + 1] == "%" else None


def _table_stage(account: Account, session: Session, text: str) -> Path:
    """The folder of a table's own stage, `@%table`; it exists because the table does."""
    table = _stage_name(text, session)
    if not account.engine.columns(session, table):
        raise does_not_exist("Stage", f'{table.database}.{table.schema}."%{table.name}"')
    return _folder(account, "table", table.fqn())


def _folder(account: Account, kind: str, name: str) -> Path:
    folder = account.stages_folder / f"{kind}-{quote(name, safe='')}"
    folder.mkdir(exist_ok=True)
    return folder
