"""The desired graph as SQL statements, for reading, and for accounts where only SQL is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.quoting import identifier, literal, qualified
from sfml.graph.located import Scalar
from sfml.graph.model import CronSchedule, IntervalSchedule, Manual, Mode, Schedule, StreamSchedule
from sfml.lower.beyond import beyond, set_clauses
from sfml.lower.canonical import canonical_json
from sfml.lower.desired import DesiredGraph, DesiredTask, MLJobDefinitionSpec, SqlDefinition
from sfml.lower.names import stage_of


def tasks_sql(graph: DesiredGraph) -> str:
    """The statements that create or change the graph in its target, in the order in which they must run.

    The root is suspended first and resumed last, because Snowflake refuses to change tasks of a graph whose root is
    started (091421). Settings that `CREATE OR ALTER TASK` has no clause for follow in `ALTER TASK` statements.
    https://docs.snowflake.com/en/sql-reference/sql/create-task
    """
    return "\n".join(_lines(graph))


def _lines(graph: DesiredGraph) -> Iterator[str]:
    root = task_identifier(graph, graph.root.name)
    yield from _header(graph)
    yield f"ALTER TASK IF EXISTS {root} SUSPEND;"
    yield ""
    for task in graph.all_tasks:
        yield from _statements(graph, task)
        yield ""
    for task in graph.all_tasks[1:]:
        yield f"ALTER TASK {task_identifier(graph, task.name)} RESUME;"
    yield from _root_resumed(graph, root)


def _header(graph: DesiredGraph) -> Iterator[str]:
    target = graph.target
    yield f"-- Pipeline {_one_line(graph.pipeline)} for target {_one_line(target.name)},"
    yield f"-- compiled from {_one_line(graph.spec_path)}."
    if graph.archives:
        yield "-- Step code must be on the stage before the graph runs; `sfml apply` uploads it:"
        for archive in graph.archives:
            file = f"archives/{archive.sha256}.zip"
            yield f"--   {file} as {_one_line(stage_of(target))}/{_one_line(archive.stage_path)}"
    yield ""


def _statements(graph: DesiredGraph, task: DesiredTask) -> Iterator[str]:
    name = task_identifier(graph, task.name)
    if isinstance(task.definition, MLJobDefinitionSpec):
        yield from _job_note(task.definition)
    yield f"CREATE OR ALTER TASK {name}"
    yield from (f"  {clause}" for clause in clauses(graph, task))
    yield "AS"
    yield definition_sql(task)
    # The semicolon gets its own line, because a body may end in a comment.
    yield ";"
    for setting in settings_beyond_create(task):
        yield f"ALTER TASK {name} SET {setting};"


def clauses(graph: DesiredGraph, task: DesiredTask) -> Iterator[str]:
    """The clauses of `CREATE OR ALTER TASK` between the name and the body, in the order of the documentation."""
    if task.warehouse is not None:
        yield f"WAREHOUSE = {identifier(task.warehouse)}"
    schedule = schedule_text(task.schedule)
    if schedule is not None:
        yield f"SCHEDULE = {literal(schedule)}"
    if task.config is not None:
        yield f"CONFIG = {literal(canonical_json(task.config))}"
    if task.overlap_policy is not None:
        yield f"OVERLAP_POLICY = {task.overlap_policy}"
    if task.user_task_timeout_ms is not None:
        yield f"USER_TASK_TIMEOUT_MS = {task.user_task_timeout_ms}"
    for parameter in sorted(task.session_parameters):
        yield f"{identifier(parameter)} = {_scalar(task.session_parameters[parameter])}"
    if task.suspend_task_after_num_failures is not None:
        yield f"SUSPEND_TASK_AFTER_NUM_FAILURES = {task.suspend_task_after_num_failures}"
    if task.error_integration is not None:
        yield f"ERROR_INTEGRATION = {identifier(task.error_integration)}"
    if task.success_integration is not None:
        yield f"SUCCESS_INTEGRATION = {identifier(task.success_integration)}"
    if task.comment is not None:
        yield f"COMMENT = {literal(task.comment)}"
    if task.finalize is not None:
        yield f"FINALIZE = {task_identifier(graph, task.finalize)}"
    if task.task_auto_retry_attempts is not None:
        yield f"TASK_AUTO_RETRY_ATTEMPTS = {task.task_auto_retry_attempts}"
    if task.predecessors:
        yield f"AFTER {', '.join(task_identifier(graph, name) for name in task.predecessors)}"
    if task.execute_as_user is not None:
        yield f"EXECUTE AS USER {identifier(task.execute_as_user)}"
    if task.condition is not None:
        yield f"WHEN {task.condition}"


def settings_beyond_create(task: DesiredTask) -> Iterator[str]:
    """The clauses for `ALTER TASK … SET`: serverless sizes, trigger interval, log level, tags, contacts."""
    sizes = {
        "USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE": task.user_task_managed_initial_warehouse_size,
        "SERVERLESS_TASK_MIN_STATEMENT_SIZE": task.serverless_task_min_statement_size,
        "SERVERLESS_TASK_MAX_STATEMENT_SIZE": task.serverless_task_max_statement_size,
    }
    for name, size in sizes.items():
        if size is not None:
            yield f"{name} = {literal(size)}"
    if task.target_completion_seconds is not None:
        yield f"TARGET_COMPLETION_INTERVAL = {literal(interval_text(task.target_completion_seconds))}"
    yield from set_clauses(beyond(task))


def definition_sql(task: DesiredTask) -> str:
    """The body of the task; for an ML Job, the preview of its statement."""
    match task.definition:
        case SqlDefinition(sql):
            return sql
        case MLJobDefinitionSpec(preview_sql=preview):
            return preview


def schedule_text(schedule: Schedule | None) -> str | None:
    """The text of the SCHEDULE clause; None for a manual or triggered graph."""
    match schedule:
        case CronSchedule(cron, timezone):
            return f"USING CRON {cron} {timezone}"
        case IntervalSchedule(seconds):
            return interval_text(seconds)
        case StreamSchedule() | Manual() | None:
            return None


def interval_text(seconds: int) -> str:
    """An interval in Snowflake's syntax, in the largest unit that divides it: `12 HOURS`, `90 MINUTES`."""
    for size, unit in ((3600, "HOURS"), (60, "MINUTES")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} SECONDS"


def task_identifier(graph: DesiredGraph, name: str) -> str:
    return qualified(graph.target.database, graph.target.schema, name)


def _job_note(job: MLJobDefinitionSpec) -> Iterator[str]:
    yield f"-- ML Job {_one_line(job.name)}: `sfml apply` uploads its payload and registers it."
    if job.runtime is None:
        yield "-- The runtime's image is not pinned; it is resolved at apply, and RUNTIME below is empty."


def _root_resumed(graph: DesiredGraph, root: str) -> Iterator[str]:
    if graph.root.schedule is None:
        yield f"-- The graph has no schedule; run it once with: EXECUTE TASK {root};"
    elif graph.target.is_local or graph.target.mode is Mode.PRODUCTION:
        yield f"ALTER TASK {root} RESUME;"
    else:
        yield f"-- In development the schedule stays off; turn it on with: ALTER TASK {root} RESUME;"
    yield ""


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return literal(value) if isinstance(value, str) else canonical_json(value)


def _one_line(text: str) -> str:
    """The text on one line, so that it cannot end the comment around it."""
    return " ".join(text.split())
