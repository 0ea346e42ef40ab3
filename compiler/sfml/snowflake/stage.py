"""Reads and writes the stage of a target: archives, journals, deployments, payloads of ML Jobs."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sfml.base.errors import AccountError, ConflictingState, RecordUnreadable
from sfml.base.quoting import literal, stage_location
from sfml.graph.model import Target
from sfml.lower.desired import Archive, MLJobDefinitionSpec
from sfml.lower.ml_jobs import registration, task_statement
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
from sfml.plan.stage_content import StageContent, state_path
from sfml.snowflake.light_connector import complete_connector
from sfml.snowflake.objects import create_stage
from sfml.snowflake.refusals import translated
from sfml.snowflake.snowpark import snowpark_session
from sfml.snowflake.sql import rows

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_REGISTERING = threading.Lock()
_ANY_FOLDER = "(.*/)?"
"""The start of a PATTERN. It is not documented whether patterns match the path in the stage or below the named one."""
_FOLDERS = ("code", "jobs", "state")
_OF_ALL = f"{_ANY_FOLDER}[^/]+/({'|'.join(_FOLDERS)})/.*"
_NO_SUCH_OBJECT = ("002003", "2003")

_Listed: TypeAlias = tuple[str, int, str, str]


class Stage:
    """The stage of a target."""

    def __init__(self, connection: SnowflakeConnection, target: Target) -> None:
        self._connection = connection
        self._target = target
        self._name = stage_location(target.database, target.schema, target.stage)

    def create(self) -> None:
        """Create the stage if it does not exist."""
        create_stage(self._connection, self._target)

    def location(self, path: str) -> str:
        """`@DB.SCHEMA.STAGE/path`, not quoted for SQL."""
        return f"{self._name}/{path}"

    def staged(self, pipeline: str) -> StageContent | None:
        """The pipeline's code and records on the stage, read with one LIST; None if there is no stage."""
        listed = self._listed(f"{pipeline}/", f"{_ANY_FOLDER}({'|'.join(_FOLDERS)})/.*")
        return None if listed is None else self._content_of(pipeline, listed)

    def all_staged(self) -> Mapping[str, StageContent] | None:
        """Pipeline → its code and records, of all pipelines on the stage; None without a stage. One LIST."""
        listed = self._listed("", _OF_ALL)
        return None if listed is None else self._by_pipeline(listed)

    @property
    def listing_of_all(self) -> str:
        """The statement that lists the code and records of all pipelines on the stage."""
        return self._listing("", _OF_ALL)

    def all_in(self, rows: Iterable[Sequence[Any]]) -> Mapping[str, StageContent]:
        """Pipeline → its code and records, from the rows of `listing_of_all`."""
        return self._by_pipeline(_listed_files(rows))

    def _by_pipeline(self, listed: Iterable[_Listed]) -> Mapping[str, StageContent]:
        files: dict[str, list[_Listed]] = {}
        for row in listed:
            pipeline, folder = row[0].split("/")[:2]
            if folder in _FOLDERS:  # and no folder of this name in the files of a run
                files.setdefault(pipeline, []).append(row)
        return {pipeline: self._content_of(pipeline, own) for pipeline, own in files.items()}

    def _listed(self, folder: str, pattern: str) -> list[_Listed] | None:
        """Path on the stage, size, digest and time of each file below a folder; None if there is no stage."""
        try:
            rows = self._run(self._listing(folder, pattern))
        except AccountError as error:
            if error.code not in _NO_SUCH_OBJECT:
                raise
            return None
        return _listed_files(rows)

    def _listing(self, folder: str, pattern: str) -> str:
        return f"LIST {literal(self.location(folder))} PATTERN = {literal(pattern)}"

    def _content_of(self, pipeline: str, listed: list[_Listed]) -> StageContent:
        written = {path: parsedate_to_datetime(at) for path, _, _, at in listed}
        sizes = {path: size for path, size, _, _ in listed}
        # In an account, files are always complete, and a digest may refer to encrypted content or to parts. On the
        # local server, digests refer to the content; they are needed there, because the connector gives a file its
        # final size before writing the content.
        digests = {path: digest for path, _, digest, _ in listed if self._target.is_local}
        return StageContent(pipeline, frozenset(written), written, sizes, digests)

    def upload(self, archive: Archive) -> None:
        """Write the archive. An existing file with its name is overwritten: it is the same, or incomplete."""
        folder, _, name = archive.stage_path.rpartition("/")
        self._put(folder, {name: archive.content})

    def content(self, path: str) -> bytes | None:
        """The content of a file by its path on the stage, or None."""
        return next(iter(self._fetched(path, None).values()), None)

    def contents(self, paths: tuple[str, ...]) -> Mapping[str, bytes]:
        """The contents of files of one pipeline by their paths on the stage; missing files are left out.

        One GET reads all files with different names; the connector fails for several files with the same name.
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
        contents: dict[str, bytes] = {}
        for name, content in fetched.items():
            # It is not documented whether GET keeps folders; a name that fits several paths is ambiguous.
            fitting = [path for path in paths if f"/{path}".endswith(f"/{name}")]
            if len(fitting) == 1:
                contents[fitting[0]] = content
        for path in paths if len(contents) < len(fetched) else ():
            again = None if path in contents else self.content(path)
            if again is not None:
                contents[path] = again
        return contents

    def journal(self, pipeline: str) -> Journal | None:
        """The journal of an unfinished apply, or None; raises `RecordUnreadable`."""
        path = state_path(pipeline, JOURNAL_NAME)
        content = self.content(path)
        if content is None:
            return None
        try:
            return journal_from(content)
        except RecordUnreadable as error:
            raise self._located(error, path, content) from error.__cause__

    def deployment(self, pipeline: str, number: int) -> Deployment | None:
        """The kept deployment with this number, or None; raises `RecordUnreadable`."""
        path = state_path(pipeline, deployment_name(number))
        content = self.content(path)
        return self._deployment(content, path) if content is not None else None

    def deployments(self, pipeline: str) -> tuple[Deployment, ...]:
        """The readable kept deployments, oldest first, read with one GET."""
        return self.kept(pipeline).deployments

    def kept(self, pipeline: str) -> KeptDeployments:
        """The kept deployments, oldest first, and the errors of unreadable ones, read with one GET."""
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
        """The error with the path and content of its file added."""
        error.path, error.content = path, content
        error.message = f"{error.message} ({self.location(path)})"
        return error

    def put_aside(self, path: str, content: bytes) -> None:
        """Write the content of an unreadable file under another name, before the file is overwritten."""
        folder, _, name = path.rpartition("/")
        self._put(folder, {unreadable_name(name, content): content})

    def write(self, path: str, content: bytes) -> None:
        """Write a file by its path on the stage; an existing one is overwritten."""
        folder, _, name = path.rpartition("/")
        self._put(folder, {name: content})

    def files_of_run(self, pipeline: str, run_id: str) -> frozenset[str]:
        """The paths on the stage of the files that steps of this run wrote, read with one LIST."""
        folder = literal(self.location(f"{pipeline}/runs/{run_id}/"))
        return frozenset(str(row[0]).split("/", 1)[1] for row in self._run(f"LIST {folder}"))

    def open_journal(self, journal: Journal) -> None:
        """Write the journal and the record of the intended deployment, with one PUT."""
        files = {JOURNAL_NAME: journal_json(journal).encode()}
        if journal.meant is not None:
            deployment = Deployment(journal.header, journal.meant)
            files[deployment_name(journal.header.number)] = deployment_json(deployment).encode()
        self._put(state_path(journal.pipeline).rstrip("/"), files)

    def close_journal(self, pipeline: str, *, undone: int | None = None) -> None:
        """Remove the journal, and the record of the deployment `undone`, which was not completed."""
        journal = state_path(pipeline, JOURNAL_NAME)
        if undone is None:
            self._run(f"REMOVE {literal(self.location(journal))}")
            return
        names = f"({JOURNAL_NAME}|{deployment_name(undone)})".replace(".", "[.]")
        folder = literal(self.location(state_path(pipeline)))
        self._run(f"REMOVE {folder} PATTERN = {literal(_ANY_FOLDER + names)}")

    def remove_all(self, pipeline: str) -> None:
        """Remove all files of the pipeline from the stage except its journal."""
        state = "((deployment|unreadable|part|backfill)-.*|alerts.*)[.]json"
        pattern = f"{_ANY_FOLDER}((code|jobs|runs)/.*|state/{state})"
        self._run(f"REMOVE {literal(self.location(pipeline + '/'))} PATTERN = {literal(pattern)}")

    def remove(self, paths: tuple[str, ...]) -> None:
        """Remove these files and folders of one pipeline with one statement."""
        pipeline = paths[0].partition("/")[0]
        inner = "|".join(re.escape(path.partition("/")[2]) for path in paths)
        pattern = f"{_ANY_FOLDER}({inner})(/.*)?"
        self._run(f"REMOVE {literal(self.location(pipeline + '/'))} PATTERN = {literal(pattern)}")

    def register_job(self, spec: MLJobDefinitionSpec) -> str:
        """Upload the job's payload and register the job; returns its task's statement. Raises `ConflictingState`."""
        complete_connector()
        from snowflake.ml.jobs import MLJobDefinition

        # The client has one active session for the whole process, so jobs are registered one after another.
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
            except ValueError as cause:  # the client's checks of the compute pool and the payload
                raise ConflictingState(
                    f"the ML Job {spec.name} cannot be registered: {cause}",
                    help="change `run_on` of the task, or ask an administrator to change the account",
                ) from cause
            return task_statement(spec, str(definition.to_sql(job_args=list(spec.arguments))))

    def _put(self, folder: str, files: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="sfml-put-") as scratch:
            for name, content in files.items():
                (Path(scratch) / name).write_bytes(content)
            # A wildcard uploads several files with one statement. SOURCE_COMPRESSION avoids that the connector detects
            # the compression of each file, for which it reads the system's list of MIME types.
            # https://docs.snowflake.com/en/sql-reference/sql/put
            source = Path(scratch) / (next(iter(files)) if len(files) == 1 else "*")
            answer = self._run(
                f"PUT {literal(f'file://{source.as_posix()}')} {literal(self.location(folder))}"
                " SOURCE_COMPRESSION = NONE AUTO_COMPRESS = FALSE OVERWRITE = TRUE"
            )
        if len(answer) != len(files) or any(row[6] not in ("UPLOADED", "SKIPPED") for row in answer):
            raise AccountError(f"{self.location(folder)} was not uploaded: {[row[6:] for row in answer]}")

    def _fetched(self, path: str, pattern: str | None) -> dict[str, bytes]:
        """Download the file at this path, or those below it that match the pattern; returns content by local path."""
        with tempfile.TemporaryDirectory(prefix="sfml-get-") as scratch:
            fitting = "" if pattern is None else f" PATTERN = {literal(pattern)}"
            self._run(f"GET {literal(self.location(path))} {literal(f'file://{scratch}')}{fitting}")
            files = (file for file in sorted(Path(scratch).rglob("*")) if file.is_file())
            return {file.relative_to(scratch).as_posix(): file.read_bytes() for file in files}

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self._connection, sql, role=self._target.owner_role)


def _listed_files(rows: Iterable[Sequence[Any]]) -> list[_Listed]:
    """The rows of LIST, which returns `stage/path`, with the stage in lower case."""
    return [(str(row[0]).split("/", 1)[1], int(row[1]), str(row[2]), str(row[3])) for row in rows]
