"""`Context`: a step's session, configuration, run, results of ancestors, and files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfml_steps.errors import StepError
from sfml_steps.files import Files, MemoryFiles, StageFiles, checked_name
from sfml_steps.results import as_read

if TYPE_CHECKING:
    from snowflake.snowpark import Session

Scalar = str | int | float | bool
Json = Any
"""None, bool, int, float, str, or lists and string-keyed dictionaries of them."""


@dataclass(frozen=True)
class Run:
    """The graph run that a task belongs to. `id` stays the same when the run is retried.

    `task` is the task's name in the spec, `root` the root task's name in Snowflake. `scheduled_at` is the time for
    which the run was first scheduled, as ISO text, or None where Snowflake does not return it.
    """

    id: str
    task: str
    root: str
    pipeline: str
    scheduled_at: str | None = None


class Context:
    """Everything that a step can read and write while its task runs.

    `run` is the graph run, `stage` the pipeline's stage (`@DB.SCHEMA.SFML`), and `logger` writes to the task's log.
    """

    def __init__(
        self,
        *,
        run: Run,
        stage: str,
        logger: logging.Logger,
        session: Session | None,
        read_config: Callable[[], Mapping[str, Scalar]],
        read_result: Callable[[str], Json],
        files: Files | None = None,
    ) -> None:
        self.run = run
        self.stage = stage
        self.logger = logger
        self._session = session
        self._read_config = read_config
        self._read_result = read_result
        self._files = files

    @property
    def session(self) -> Session:
        """The Snowpark session of the task, in the database and schema of the target."""
        if self._session is None:
            raise StepError("this context has no session: give one to Context.for_test(session=…)")
        return self._session

    @property
    def config(self) -> Mapping[str, Scalar]:
        """The graph's configuration for this run: `config` of the spec, changed by `sfml run --config`."""
        return self._read_config()

    def result(self, task: str) -> Json:
        """Return the result of an ancestor, by its name in the spec; None if it returned nothing or did not run.

        Prefer `with:`, whose references are checked before anything runs. A finalizer has no ancestors, so it
        reads no results.
        """
        return self._read_result(task)

    def write_file(self, name: str, content: bytes) -> str:
        """Write a file to this run's folder on the stage, for later tasks of the run; return its path.

        A name consists of letters, digits and `_ . = -`, with `/` between folders. Writing it again, as a retried
        task does, overwrites it.

        >>> ctx = Context.for_test(pipeline="churn", task="train", run_id="r1")
        >>> path = ctx.write_file("model/weights.json", b"[1, 2]")
        >>> path
        '@SFML/churn/runs/r1/train/model/weights.json'
        >>> ctx.read_file(path)
        b'[1, 2]'
        """
        path = f"{self.stage}/{self.run.pipeline}/runs/{self.run.id}/{self.run.task}/{checked_name(name)}"
        self._open_files().write(path, content)
        return path

    def read_file(self, path: str) -> bytes:
        """Return the content of a file, by the path that `write_file` returned in this or an earlier task."""
        return self._open_files().read(path)

    def _open_files(self) -> Files:
        return self._files if self._files is not None else StageFiles(self.session)

    @classmethod
    def for_test(
        cls,
        *,
        session: Session | None = None,
        config: Mapping[str, Scalar] | None = None,
        results: Mapping[str, Json] | None = None,
        run_id: str = "test",
        task: str = "task",
        pipeline: str = "pipeline",
        scheduled_at: str | None = None,
        stage: str = "@SFML",
        files: Files | None = None,
    ) -> Context:
        """Return a context for unit tests: results are given by task name, files are kept in memory.

        In a task, results are read from JSON, and so they are here: a decimal becomes a float, a date becomes text,
        and a value that a task may not return is refused.

        To keep files on a stage, give a real session, `files=StageFiles(session)` of `sfml_steps.files`, and a
        `stage`.

        >>> ctx = Context.for_test(config={"at_least": 0.7}, results={"train_model": {"auc": 0.8}})
        >>> ctx.result("train_model")["auc"] >= ctx.config["at_least"]
        True
        """
        known = dict(results or {})

        def read_result(name: str) -> Json:
            if name not in known:
                raise StepError(f"no result of `{name}` was given to Context.for_test(results=…)")
            return as_read(known[name], f"`{name}` in Context.for_test(results=…)")

        configuration = dict(config or {})
        return cls(
            run=Run(run_id, task, pipeline.upper(), pipeline, scheduled_at),
            stage=stage,
            logger=logging.getLogger(f"{pipeline}.{task}"),
            session=session,
            read_config=lambda: configuration,
            read_result=read_result,
            files=files or MemoryFiles(),
        )
