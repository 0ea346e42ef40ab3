"""A step for finalizers, which removes old files of runs and old model versions."""

from __future__ import annotations

import datetime
import email.utils
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.registration import step
from sfml_steps.sql import quoted, quoted_name, rows_of
from sfml_steps.task import TaskFunctions
from sfml_steps.versions import Version, checked_model, default_of, versions_of

# https://docs.snowflake.com/en/sql-reference/functions/task_history
FAILURES = {"FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "CANCELED"}
HISTORY_LIMIT = 10_000


class Cleanup(TypedDict):
    """What was removed: the ids of runs whose files were removed, and the names of model versions."""

    runs_removed: list[str]
    versions_removed: list[str]


@step
def remove_run_artifacts(
    ctx: Context, model_name: str | None = None, keep_versions: int = 5, keep_days: int = 14
) -> Cleanup:
    """Remove this run's files if all its tasks succeeded, files of other runs by age, and old model versions.

    It is meant for the finalizer, which runs after all tasks, also when they failed.

    - `model_name`: the model whose old versions are removed, also as `DB.SCHEMA.NAME`; without it none are.
    - `keep_versions`: the number of newest versions that are kept, at least 1; the default version, the one that it
      replaced, and versions with an alias are kept as well.
    - `keep_days`: how many days a failed run keeps its files, so that a retry finds its inputs.
    """
    if keep_versions < 1 or keep_days < 0:
        raise StepError("`keep_versions` must be at least 1 and `keep_days` at least 0")
    return {
        "runs_removed": remove_files(ctx, keep_days),
        "versions_removed": remove_versions(ctx, model_name, keep_versions) if model_name else [],
    }


def remove_files(ctx: Context, keep_days: int) -> list[str]:
    """Remove the folders of this run, if it succeeded, and of runs older than `keep_days`; return the runs' ids."""
    failed = failed_tasks(task_history(ctx))
    if failed:
        ctx.logger.info("files of this run stay for a retry: %s", ", ".join(failed))
    folder = f"{ctx.stage}/{ctx.run.pipeline}/runs/"
    newest = newest_by_run(rows_of(ctx.session, f"LIST {folder}"), f"{ctx.run.pipeline}/runs/")
    now = datetime.datetime.now(datetime.timezone.utc)
    removed = []
    for run, modified in sorted(newest.items()):
        done = not failed if run == ctx.run.id else now - modified > datetime.timedelta(days=keep_days)
        if done:
            # The slash at the end spares runs whose ids begin with this id.
            rows_of(ctx.session, f"REMOVE {folder}{run}/")
            ctx.logger.info("removed the files of run %s", run)
            removed.append(run)
    return removed


def task_history(ctx: Context) -> list[Mapping[str, Any]]:
    """Return the rows of this graph run in the task history, for all its attempts.

    A finalizer has no predecessors to read from, so the history is read by the root's id, as in
    https://docs.snowflake.com/en/user-guide/tasks-graphs#finalizer-task-example
    In a part of a run these are the rows of the part, while `ctx.run.id` is the run that it continues.
    """
    functions = TaskFunctions(ctx.session)
    root = functions.runtime_info("CURRENT_ROOT_TASK_UUID")
    group = functions.runtime_info("CURRENT_TASK_GRAPH_RUN_GROUP_ID")
    return rows_of(
        ctx.session,
        "SELECT NAME, STATE, ATTEMPT_NUMBER FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY("
        f"ROOT_TASK_ID => {quoted(str(root))}, RESULT_LIMIT => {HISTORY_LIMIT}))"
        f" WHERE GRAPH_RUN_GROUP_ID = {quoted(str(group))}",
    )


def failed_tasks(history: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of tasks whose latest attempt failed or was cancelled, sorted."""
    latest: dict[str, tuple[int, str]] = {}
    for row in history:
        attempt, state = int(row["ATTEMPT_NUMBER"] or 1), str(row["STATE"])
        if attempt >= latest.get(row["NAME"], (0, ""))[0]:
            latest[row["NAME"]] = (attempt, state)
    return sorted(name for name, (_, state) in latest.items() if state in FAILURES)


def newest_by_run(files: Iterable[Mapping[str, Any]], folder: str) -> dict[str, datetime.datetime]:
    """Return run id → time of its newest file, from the rows of LIST, whose names begin with that of the stage."""
    newest: dict[str, datetime.datetime] = {}
    for file in files:
        run, slash, _ = file["name"].partition(folder)[2].partition("/")
        if run and slash:
            modified = email.utils.parsedate_to_datetime(file["last_modified"])
            newest[run] = max(modified, newest.get(run, modified))
    return newest


def remove_versions(ctx: Context, model_name: str, keep: int) -> list[str]:
    """Drop old versions of a model; return their names."""
    removed = superfluous(versions_of(ctx.session, model_name), keep)
    for version in removed:
        name = quoted_name(version)
        rows_of(ctx.session, f"ALTER MODEL {checked_model(model_name)} DROP VERSION {name}")
        ctx.logger.info("removed version %s of %s", version, model_name)
    return removed


def superfluous(versions: Iterable[Version], keep: int) -> list[str]:
    """Return the names of versions beyond the newest `keep`, newest first.

    The default version, the one that it replaced, to which a rollback goes, and versions with an alias are kept.
    """
    known = sorted(versions, key=lambda version: (version.created_on, version.name), reverse=True)
    default = default_of(known)
    former = default.former if default else None
    return [
        version.name
        for version in known[keep:]
        if not (version.is_default or version.aliases or version.name == former)
    ]
