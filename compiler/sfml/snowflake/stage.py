"""Reads and writes the stage of a pipeline: archives, journals, job payloads."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.base.errors import AccountError, ConflictingState, RecordUnreadable
from sfml.base.quoting import literal, stage_location
from sfml.graph.model import Target
from sfml.lower.desired import Archive, MLJobDefinitionSpec
from sfml.lower.ml_jobs import registration
from sfml.plan.journal import (
    JOURNAL_NAME,
    Deployment,
    Journal,
    KeptDeployments,
    deployment_from,
    deployment_json,
    deployment_name,
    deployment_number,
    journal_from,
    journal_json,
    unreadable_name,
)
from sfml.plan.staged import StageContent, state_path
from sfml.snowflake.objects import create_stage
from sfml.snowflake.refusals import translated
from sfml.snowflake.snowpark import snowpark_session
from sfml.snowflake.sql import rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_REGISTERING = threading.Lock()
_ANY_FOLDER = "(.*/)?"
"""Begins a pattern: whether it is held against the path from the stage or from the place that is named is not said."""
_NO_SUCH_OBJECT = ("002003", "2003")


class Stage:
    """The one stage of a target's schema."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target
        self._name = stage_location(target.database, target.schema, target.stage)

    def create(self) -> None:
        """Create it, unless it is there."""
        create_stage(self._connection, self._target)

    def location(self, path: str) -> str:
        """`@DB.SCHEMA.STAGE/path`, not quoted for SQL."""
        return f"{self._name}/{path}"

    def staged(self, pipeline: str) -> StageContent | None:
        """What lies there of the pipeline's code and state, with one LIST; None when there is no stage."""
        pattern = literal(f"{_ANY_FOLDER}(code|jobs|state)/.*")
        try:
            listed = self._run(f"LIST {literal(self.location(pipeline + '/'))} PATTERN = {pattern}")
        except AccountError as error:
            if error.code not in _NO_SUCH_OBJECT:
                raise
            return None
        # LIST answers `stage/path`, the stage in lower case.
        written = {str(row[0]).split("/", 1)[1]: parsedate_to_datetime(str(row[3])) for row in listed}
        sizes = {str(row[0]).split("/", 1)[1]: int(row[1]) for row in listed}
        # An account keeps no half file, and its digests may be of what is encrypted or of parts. The local server's
        # are of the content, and the connector, which writes to it, makes a file as long as it is to be at once.
        digests = {str(row[0]).split("/", 1)[1]: str(row[2]) for row in listed if self._target.is_local}
        return StageContent(pipeline, frozenset(written), written, sizes, digests)

    def upload(self, archive: Archive) -> None:
        """Write it whatever is there under its name: that is the same, or not whole."""
        folder, _, name = archive.stage_path.rpartition("/")
        self._put(folder, {name: archive.content})

    def content(self, path: str) -> bytes | None:
        """A file by its path below the stage, None when it is not there."""
        return next(iter(self._fetched(path, None).values()), None)

    def contents(self, paths: tuple[str, ...]) -> Mapping[str, bytes]:
        """Files of one pipeline by their paths below the stage; those that are not there are left out.

        One GET fetches all whose names differ: the connector writes files of one name over each other, and fails at it.
        """
        first = {path.rpartition("/")[2]: path for path in reversed(paths)}
        together = tuple(path for path in paths if path in first.values())
        if len(together) > 1:
            others = tuple(path for path in paths if path not in together)
            return {**self._together(together), **self._each(others)}
        return self._each(paths)

    def _each(self, paths: tuple[str, ...]) -> Mapping[str, bytes]:
        alone = ((path, self.content(path)) for path in paths)
        return {path: content for path, content in alone if content is not None}

    def _together(self, paths: tuple[str, ...]) -> Mapping[str, bytes]:
        pipeline = paths[0].partition("/")[0]
        inner = "|".join(re.escape(path.partition("/")[2]) for path in paths)
        fetched = self._fetched(pipeline + "/", f"{_ANY_FOLDER}({inner})")
        found: dict[str, bytes] = {}
        for name, content in fetched.items():
            # Whether GET keeps the folders is not said: a name that could be several files' tells nothing.
            fitting = [path for path in paths if f"/{path}".endswith(f"/{name}")]
            if len(fitting) == 1:
                found[fitting[0]] = content
        for path in paths if len(found) < len(fetched) else ():
            again = None if path in found else self.content(path)
            if again is not None:
                found[path] = again
        return found

    def journal(self, pipeline: str) -> Journal | None:
        """The record of an apply that is under way or was cut off, or None; raises `RecordUnreadable`."""
        path = state_path(pipeline, JOURNAL_NAME)
        content = self.content(path)
        if content is None:
            return None
        try:
            return journal_from(content)
        except RecordUnreadable as error:
            raise self._located(error, path, content) from error.__cause__

    def deployment(self, pipeline: str, number: int) -> Deployment | None:
        """One kept deployment; raises `RecordUnreadable`."""
        path = state_path(pipeline, deployment_name(number))
        content = self.content(path)
        return self._deployment(content, path) if content is not None else None

    def deployments(self, pipeline: str) -> tuple[Deployment, ...]:
        """The kept deployments that can be read, oldest first, fetched with one GET."""
        return self.kept(pipeline).deployments

    def kept(self, pipeline: str) -> KeptDeployments:
        """The kept deployments, and what cannot be read of them, with one GET."""
        fetched = self._fetched(state_path(pipeline), f"{_ANY_FOLDER}deployment-[0-9]+[.]json")
        deployments: list[Deployment] = []
        unreadable: list[RecordUnreadable] = []
        for name, content in sorted(fetched.items()):
            try:
                path = state_path(pipeline, name.rsplit("/", 1)[-1])
                deployments.append(self._deployment(content, path))
            except RecordUnreadable as error:
                unreadable.append(error)
        deployments.sort(key=lambda deployment: deployment.header.number)
        return KeptDeployments(tuple(deployments), tuple(unreadable))

    def _deployment(self, content: bytes, path: str) -> Deployment:
        try:
            return deployment_from(content, deployment_number(path))
        except RecordUnreadable as error:
            raise self._located(error, path, content) from error.__cause__

    def _located(self, error: RecordUnreadable, path: str, content: bytes) -> RecordUnreadable:
        """The same with the file that it is of."""
        error.path, error.content = path, content
        error.message = f"{error.message} ({self.location(path)})"
        return error

    def put_aside(self, path: str, content: bytes) -> None:
        """Keep what cannot be read beside it, before something else takes its name."""
        folder, _, name = path.rpartition("/")
        self._put(folder, {unreadable_name(name, content): content})

    def open_journal(self, journal: Journal) -> None:
        """Write the journal, and what it means to deploy beside it: one PUT takes both files."""
        files = {JOURNAL_NAME: journal_json(journal).encode()}
        if journal.meant is not None:
            deployment = Deployment(journal.header, journal.meant)
            files[deployment_name(journal.header.number)] = deployment_json(deployment).encode()
        self._put(state_path(journal.pipeline).rstrip("/"), files)

    def close_journal(self, pipeline: str, *, undone: int | None = None) -> None:
        """Remove the journal, and with it the deployment of that number, which was never made."""
        journal = state_path(pipeline, JOURNAL_NAME)
        if undone is None:
            self._run(f"REMOVE {literal(self.location(journal))}")
            return
        names = f"({JOURNAL_NAME}|{deployment_name(undone)})".replace(".", "[.]")
        folder = literal(self.location(state_path(pipeline)))
        self._run(f"REMOVE {folder} PATTERN = {literal(_ANY_FOLDER + names)}")

    def remove_all(self, pipeline: str) -> None:
        """Remove what the pipeline has on the stage, but for its journal."""
        pattern = f"{_ANY_FOLDER}((code|jobs|runs)/.*|state/(deployment|unreadable)-.*[.]json)"
        self._run(f"REMOVE {literal(self.location(pipeline + '/'))} PATTERN = {literal(pattern)}")

    def remove(self, paths: tuple[str, ...]) -> None:
        """Remove these files and folders of one pipeline, below the stage, with one statement."""
        pipeline = paths[0].partition("/")[0]
        inner = "|".join(re.escape(path.partition("/")[2]) for path in paths)
        pattern = f"{_ANY_FOLDER}({inner})(/.*)?"
        self._run(f"REMOVE {literal(self.location(pipeline + '/'))} PATTERN = {literal(pattern)}")

    def register_job(self, spec: MLJobDefinitionSpec) -> str:
        """Upload the job's payload and return the statement that its task runs."""
        from snowflake.ml.jobs import MLJobDefinition

        # The client keeps one active session for the whole process: jobs are registered one after the other.
        with (
            _REGISTERING,
            tempfile.TemporaryDirectory(prefix="sfml-job-") as folder,
            snowpark_session(self._connection) as session,
            translated(),
        ):
            for name, content in sorted(spec.payload.items()):
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            try:
                definition: Any = MLJobDefinition.register(
                    source=folder, session=session, **registration(spec, self._target)
                )
            except ValueError as cause:  # what the client finds out about the pool and the payload
                raise ConflictingState(
                    f"the ML Job {spec.name} cannot be registered: {cause}",
                    help="change what it asks for in `run_on`, or have the account changed",
                ) from cause
            return str(definition.to_sql(job_args=list(spec.arguments)))

    def _put(self, folder: str, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="sfml-put-") as scratch:
            for name, content in files.items():
                (Path(scratch) / name).write_bytes(content)
            # A wildcard takes several files with one statement. That nothing is compressed is said, or the connector
            # looks for it in each file and reads the system's list of MIME types each time.
            # https://docs.snowflake.com/en/sql-reference/sql/put
            source = Path(scratch) / (next(iter(files)) if len(files) == 1 else "*")
            answer = self._run(
                f"PUT {literal(f'file://{source.as_posix()}')} {literal(self.location(folder))}"
                " SOURCE_COMPRESSION = NONE AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
            )
        if len(answer) != len(files) or any(row[6] not in ("UPLOADED", "SKIPPED") for row in answer):
            raise AccountError(f"{self.location(folder)} was not uploaded: {[row[6:] for row in answer]}")

    def _fetched(self, path: str, pattern: str | None) -> dict[str, bytes]:
        """The file of that path, or those below it that fit the pattern, by their paths in the folder they came to."""
        with tempfile.TemporaryDirectory(prefix="sfml-get-") as scratch:
            fitting = "" if pattern is None else f" PATTERN = {literal(pattern)}"
            self._run(f"GET {literal(self.location(path))} {literal(f'file://{scratch}')}{fitting}")
            files = (file for file in sorted(Path(scratch).rglob("*")) if file.is_file())
            return {file.relative_to(scratch).as_posix(): file.read_bytes() for file in files}

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self._connection, sql, role=self._target.owner_role)
