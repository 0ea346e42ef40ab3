"""Reads and writes the stage of a pipeline: archives, journals, job payloads."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.errors import AccountError, ConflictingState
from sfml.graph.model import Target
from sfml.lower.desired import Archive, MLJobDefinitionSpec
from sfml.lower.ml_jobs import registration
from sfml.plan.model import Comparable
from sfml.quoting import literal, stage_location
from sfml.snowflake.refusals import translated
from sfml.snowflake.sql import rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection
    from snowflake.snowpark import Session


class Stage:
    """The one stage of a target's schema."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target
        self._name = stage_location(target.database, target.schema, target.stage)

    def location(self, path: str) -> str:
        """`@DB.SCHEMA.STAGE/path`, not quoted for SQL."""
        return f"{self._name}/{path}"

    def missing_archives(self, archives: tuple[Archive, ...]) -> tuple[Archive, ...]:
        """The archives that are not on the stage; one LIST for each folder of archives."""
        folders = sorted({archive.stage_path.split("/code/")[0] + "/code/" for archive in archives})
        found = {path for folder in folders for path in self._listed(folder)}
        return tuple(archive for archive in archives if archive.stage_path not in found)

    def upload(self, archive: Archive) -> None:
        self._put(archive.stage_path, archive.content)

    def journal(self, pipeline: str) -> Mapping[str, Comparable] | None:
        path = _journal_path(pipeline)
        if path not in self._listed(path):
            return None
        try:
            record = json.loads(self._get(path))
        except ValueError as cause:
            raise ConflictingState(
                f"the record of an apply at {self.location(path)} cannot be read",
                help=f"look at it, then remove it with  REMOVE {self.location(path)}",
            ) from cause
        return record if isinstance(record, dict) else {}

    def write_journal(self, pipeline: str, record: Mapping[str, Comparable]) -> None:
        self._put(_journal_path(pipeline), json.dumps(record, sort_keys=True).encode(), overwrite=True)

    def remove_journal(self, pipeline: str) -> None:
        self._run(f"REMOVE {literal(self.location(_journal_path(pipeline)))}")

    def register_job(self, spec: MLJobDefinitionSpec) -> str:
        """Upload the job's payload and return the statement that its task runs."""
        from snowflake.ml.jobs import MLJobDefinition

        with tempfile.TemporaryDirectory(prefix="sfml-job-") as folder, translated():
            for name, content in sorted(spec.payload.items()):
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            definition: Any = MLJobDefinition.register(
                source=folder, session=self.session(), **registration(spec, self._target)
            )
            return str(definition.to_sql(job_args=list(spec.arguments)))

    def session(self) -> Session:
        """A Snowpark session on the same connection."""
        from snowflake.snowpark import Session

        with translated():
            session: Session = Session.builder.configs({"connection": self._connection}).create()
            return session

    def _listed(self, path: str) -> frozenset[str]:
        """The paths of the files that begin with `path`; LIST answers `stage/path`, the stage in lower case."""
        listed = self._run(f"LIST {literal(self.location(path))}")
        return frozenset(str(row[0]).split("/", 1)[1] for row in listed)

    def _put(self, path: str, content: bytes, *, overwrite: bool = False) -> None:
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory(prefix="sfml-put-") as scratch:
            file = Path(scratch) / name
            file.write_bytes(content)
            answer = self._run(
                f"PUT {literal(f'file://{file.as_posix()}')} {literal(self.location(folder))}"
                f" AUTO_COMPRESS = FALSE OVERWRITE = {overwrite}"
            )
        if not answer or answer[0][6] not in ("UPLOADED", "SKIPPED"):
            raise AccountError(
                f"{self.location(path)} was not uploaded: {answer[0][6:] if answer else 'no answer'}"
            )

    def _get(self, path: str) -> bytes:
        with tempfile.TemporaryDirectory(prefix="sfml-get-") as scratch:
            self._run(f"GET {literal(self.location(path))} {literal(f'file://{scratch}')}")
            files = [file for file in Path(scratch).rglob("*") if file.is_file()]
            if not files:
                raise AccountError(f"{self.location(path)} could not be read")
            return files[0].read_bytes()

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self._connection, sql, role=self._target.owner_role)


def _journal_path(pipeline: str) -> str:
    return f"{pipeline}/state/apply.json"
