"""The finalizer's work: removes files that no later task or retry needs, and old model versions."""

from __future__ import annotations

import datetime
import email.utils
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.registration import step
from sfml_steps.task import TaskFunctions

# https://docs.snowflake.com/en/sql-reference/functions/task_history
FAILURES = {"FAILED", "FAILED_AND_AUTO_SUSPENDED", "CANCELLED", "CANCELED"}
HISTORY_LIMIT = 10_000
SYSTEM_ALIASES = {"DEFAULT", "FIRST", "LAST"}


class Cleanup(TypedDict):
    """What was removed: ids of runs whose files went, and names of versions."""

    runs_removed: list[str]
    versions_removed: list[str]


@step
def remove_run_artifacts(
    ctx: Context, model_name: str | None = None, keep_versions: int = 5, keep_days: int = 14
) -> Cleanup:
    """Remove this run's files if all its tasks succeeded, other runs' by age, and old model versions.

    It is written for the finalizer, which runs after all tasks, whatever became of them.

    - `model_name`: the model whose old versions are removed, perhaps `DB.SCHEMA.NAME`; none without it.
    - `keep_versions`: how many of the newest versions stay, at least 1; the default and versions with an alias
      of their own stay as well.
    - `keep_days`: how long a failed run keeps its files, so that a retry finds its inputs.
    """
    if keep_versions < 1 or keep_days < 0:
        raise StepError("`keep_versions` must be at least 1 and `keep_days` at least 0")
    return {
        "runs_removed": remove_files(ctx, keep_days),
        "versions_removed": remove_versions(ctx, model_name, keep_versions) if model_name else [],
    }


def remove_files(ctx: Context, keep_days: int) -> list[str]:
    """Remove the folders of runs that are done with; the runs' ids."""
    failed = failed_tasks(task_history(ctx))
    if failed:
        ctx.logger.info("files of this run stay for a retry: %s", ", ".join(failed))
    folder = f"{ctx.stage}/{ctx.run.pipeline}/runs/"
    newest = newest_by_run(rows_of(ctx, f"LIST {folder}"), f"{ctx.run.pipeline}/runs/")
    now = datetime.datetime.now(datetime.timezone.utc)
    removed = []
    for run, modified in sorted(newest.items()):
        done = not failed if run == ctx.run.id else now - modified > datetime.timedelta(days=keep_days)
        if done:
            # The slash keeps a run whose id only begins like this one.
            rows_of(ctx, f"REMOVE {folder}{run}/")
            ctx.logger.info("removed the files of run %s", run)
            removed.append(run)
    return removed


def task_history(ctx: Context) -> list[Mapping[str, Any]]:
    """The task runs of this graph run so far, of all its attempts.

    A finalizer has no predecessors to ask, so the history is read by the root's id, as in
    https://docs.snowflake.com/en/user-guide/tasks-graphs#finalizer-task-example
    """
    root = TaskFunctions(ctx.session).runtime_info("CURRENT_ROOT_TASK_UUID")
    return rows_of(
        ctx,
        "SELECT NAME, STATE, ATTEMPT_NUMBER FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY("
        f"ROOT_TASK_ID => {quoted(str(root))}, RESULT_LIMIT => {HISTORY_LIMIT}))"
        f" WHERE GRAPH_RUN_GROUP_ID = {quoted(ctx.run.id)}",
    )


def failed_tasks(history: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of tasks whose latest attempt failed or was cancelled."""
    latest: dict[str, tuple[int, str]] = {}
    for row in history:
        attempt, state = int(row["ATTEMPT_NUMBER"] or 1), str(row["STATE"])
        if attempt >= latest.get(row["NAME"], (0, ""))[0]:
            latest[row["NAME"]] = (attempt, state)
    return sorted(name for name, (_, state) in latest.items() if state in FAILURES)


def newest_by_run(files: Iterable[Mapping[str, Any]], folder: str) -> dict[str, datetime.datetime]:
    """Run id → when its newest file was written, from LIST, whose names begin with the stage's."""
    newest: dict[str, datetime.datetime] = {}
    for file in files:
        run, slash, _ = file["name"].partition(folder)[2].partition("/")
        if run and slash:
            modified = email.utils.parsedate_to_datetime(file["last_modified"])
            newest[run] = max(modified, newest.get(run, modified))
    return newest


def remove_versions(ctx: Context, model_name: str, keep: int) -> list[str]:
    """Drop the oldest versions of a model beyond a number; their names.

    In SQL, because the registry's client takes seconds to import.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*){0,2}", model_name):
        raise StepError(
            f"`{model_name}` is no model name: letters, digits, `_` and `$`, perhaps DB.SCHEMA.NAME"
        )
    try:
        versions = rows_of(ctx, f"SHOW VERSIONS IN MODEL {model_name}")
    except Exception as error:
        # Until a candidate passed the gate for the first time there is no such model.
        if "does not exist" in str(error):
            return []
        raise
    removed = superfluous(versions, keep)
    for version in removed:
        name = '"' + version.replace('"', '""') + '"'
        rows_of(ctx, f"ALTER MODEL {model_name} DROP VERSION {name}")
        ctx.logger.info("removed version %s of %s", version, model_name)
    return removed


def superfluous(versions: Iterable[Mapping[str, Any]], keep: int) -> list[str]:
    """Names of versions beyond the newest `keep`, but for the default and those with an alias."""
    newest_first = sorted(
        versions, key=lambda version: (version["created_on"], version["name"]), reverse=True
    )
    return [str(version["name"]) for version in newest_first[keep:] if not is_protected(version)]


def is_protected(version: Mapping[str, Any]) -> bool:
    aliases = set(re.findall(r"[^\[\]\",\s]+", str(version.get("aliases") or ""))) - SYSTEM_ALIASES
    return str(version.get("is_default_version")).lower() == "true" or bool(aliases)


def rows_of(ctx: Context, statement: str) -> list[Mapping[str, Any]]:
    rows: Any = ctx.session.sql(statement).collect()
    return [row.as_dict() for row in rows]


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
