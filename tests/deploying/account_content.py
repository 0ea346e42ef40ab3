"""What an account holds of deployments: taken, put back, and told apart by all that a later command could read."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sfml_local.core.account import Account

TABLES = (
    "tasks",
    "task_graph_versions",
    "task_tags",
    "task_contacts",
    "task_failures",
    "task_slots",
    "stages",
)
"""What an apply changes in the account's metadata; its databases hold nothing of it."""

_OF_ITS_OWN = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"  # times
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b"  # ids
    r'|(?<="nonce":")[^"]*|(?<="process":)\d+'  # of a lease and of its journal
)
"""What two attempts that came equally far do not share."""


@dataclass(frozen=True)
class AccountContent:
    """Rows by table, and by their paths the files of all stages."""

    rows: Mapping[str, Sequence[tuple[object, ...]]]
    files: Mapping[str, bytes]

    @cached_property
    def fingerprint(self) -> str:
        """Equal for contents that differ in nothing but times, ids, nonces and process ids."""
        rows = {table: sorted(comparable(str(row)) for row in rows) for table, rows in self.rows.items()}
        files = sorted((comparable(path), comparable(text.decode())) for path, text in self.files.items())
        return hashlib.sha256(repr((rows, files)).encode()).hexdigest()


def comparable(text: str) -> str:
    return _OF_ITS_OWN.sub("-", text)


def account_content(account: Account) -> AccountContent:
    return AccountContent(
        {table: [tuple(row) for row in account.store.rows(f"SELECT * FROM {table}")] for table in TABLES},
        _files_in(account.stages_folder),
    )


def put_back(account: Account, content: AccountContent) -> None:
    """Make the account hold this again, while nobody changes it."""
    with account.store.transaction() as connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for table, rows in content.rows.items():
            connection.execute(f"DELETE FROM {table}")
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    stages = (
        account.stages_folder / row["folder"] for row in account.store.rows("SELECT folder FROM stages")
    )
    _put_files_back(account.stages_folder, content.files, set(stages))


def _put_files_back(top: Path, files: Mapping[str, bytes], stages: set[Path]) -> None:
    """Let a folder hold these files and stages, and nothing else; what is as it was is not written again."""
    there = _files_in(top)
    kept = {top, *stages, *(folder for path in files for folder in (top / path).parents)}
    for path in there.keys() - files.keys():
        (top / path).unlink()
    for folder, _, _ in os.walk(top, topdown=False):
        if Path(folder) not in kept:
            Path(folder).rmdir()
    for stage in stages:
        stage.mkdir(exist_ok=True)
    for path, text in files.items():
        if there.get(path) != text:
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_bytes(text)


def _files_in(top: Path) -> Mapping[str, bytes]:
    """By their paths below the folder."""
    paths = (Path(folder) / name for folder, _, names in os.walk(top) for name in names)
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in paths}
