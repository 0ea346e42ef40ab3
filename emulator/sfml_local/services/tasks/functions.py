"""SYSTEM$ functions about tasks: for running tasks, and for controlling graphs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sfml.semantics.asking import RefusedQuestion, completion_state, predecessors_hold, read_predecessor
from sfml.semantics.config import ConfigError, read_path
from sfml.semantics.limits import MAX_RETURN_VALUE_BYTES
from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.argument_counts import wrong_count
from sfml_local.core.names import resolve
from sfml_local.grammar.quoting import literal
from sfml_local.services.tasks import commands, run_store
from sfml_local.services.tasks.context import TaskRunContext
from sfml_local.services.tasks.execution import runner_of

if TYPE_CHECKING:
    from sfml_local.core.account import Account, SystemFunction
    from sfml_local.core.session import Session

Arguments = tuple[Any, ...]
TaskFunction = Callable[["Account", TaskRunContext, Arguments], Any]


def within_a_task(name: str, function: TaskFunction) -> SystemFunction:
    """The function for sessions of a task run; Snowflake's refusal for others."""

    def call(account: Account, session: Session, arguments: Arguments) -> Any:
        if len(arguments) > 1:
            raise _wrong_number(name, arguments)
        context = session.task
        if not isinstance(context, TaskRunContext):
            raise SqlError(f"Function {name} must be called from within a task.", 91450, "42601")
        return function(account, context, arguments)

    return call


def set_return_value(account: Account, context: TaskRunContext, arguments: Arguments) -> None:
    """Store a text of at most 10 kB for later tasks; the last call counts.

    https://docs.snowflake.com/en/sql-reference/functions/system_set_return_value
    """
    text = _one_text("SYSTEM$SET_RETURN_VALUE", arguments)
    size = len(text.encode())
    if size > MAX_RETURN_VALUE_BYTES:
        raise SqlError(
            f"Return value of {size:,} bytes is too large: the maximum is {MAX_RETURN_VALUE_BYTES:,} bytes.",
            91452,
            "22000",
        )
    run_store.set_return_value(account.store, context.run.group_id, context.run.attempt, context.name, text)


def get_predecessor_return_value(
    account: Account, context: TaskRunContext, arguments: Arguments
) -> str | None:
    """The return value of an ancestor, NULL if it set none; 091451 for other or suspended tasks.

    https://docs.snowflake.com/en/sql-reference/functions/system_get_predecessor_return_value
    """
    asked = str(arguments[0]) if arguments and arguments[0] is not None else None
    with _refusals():
        name = read_predecessor(
            context.graph, context.name, asked, lambda known: context.task.name.sibling(known).fqn()
        )
    row = run_store.latest_task_run(account.store, context.run.group_id, name, context.run.attempt)
    return row.return_value if row else None


def get_task_graph_config(account: Account, context: TaskRunContext, arguments: Arguments) -> str | None:
    """The run's configuration as JSON, or the value at a path in it.

    https://docs.snowflake.com/en/sql-reference/functions/system_get_task_graph_config
    """
    if context.run.config is None:
        return None
    if not arguments or arguments[0] is None:
        return context.run.config
    try:
        return read_path(json.loads(context.run.config), str(arguments[0]))
    except ConfigError as cause:
        raise SqlError(str(cause), 1008, "22023") from cause


def task_runtime_info(account: Account, context: TaskRunContext, arguments: Arguments) -> str | None:
    """One fact about the run; the same in every attempt of a run group.

    Names are fully qualified (assumed; Snowflake's TaskContext requires it of the root's).
    https://docs.snowflake.com/en/sql-reference/functions/system_task_runtime_info
    """
    key = _one_text("SYSTEM$TASK_RUNTIME_INFO", arguments).upper()
    run = context.run
    match key:
        case "CURRENT_TASK_NAME":
            return context.task.name.fqn()
        case "CURRENT_ROOT_TASK_NAME":
            return run.root.fqn()
        case "CURRENT_ROOT_TASK_UUID":
            return run.root_id
        case "CURRENT_TASK_GRAPH_RUN_GROUP_ID":
            return run.group_id
        case "CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP":
            return run.original_time.isoformat(sep=" ", timespec="milliseconds")
    first = run_store.attempts(account.store, run.group_id)[0]
    last = run_store.last_successful(account.store, run.root_id, first.number)
    match key:
        case "LAST_SUCCESSFUL_TASK_GRAPH_RUN_GROUP_ID":
            return last.group_id if last else None
        case "LAST_SUCCESSFUL_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP":
            return last.original_time.isoformat(sep=" ", timespec="milliseconds") if last else None
    raise SqlError(f"Invalid argument '{key}' for function SYSTEM$TASK_RUNTIME_INFO.", 1008, "22023")


def current_user_task_name(account: Account, context: TaskRunContext, arguments: Arguments) -> str:
    """The qualified name of the task.

    https://docs.snowflake.com/en/sql-reference/functions/system_current_user_task_name
    """
    return context.task.name.fqn()


def predecessors_state_function(account: Account, context: TaskRunContext, arguments: Arguments) -> bool:
    """https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state"""
    asked = _one_text("SYSTEM$PREDECESSORS_STATE", arguments)
    with _refusals():
        return predecessors_hold(context.graph, context.name, asked, context.states)


def task_completion_state(account: Account, context: TaskRunContext, arguments: Arguments) -> str:
    """https://docs.snowflake.com/en/sql-reference/functions/system_task_completion_state"""
    asked = _one_text("SYSTEM$TASK_COMPLETION_STATE", arguments)
    with _refusals():
        return str(completion_state(context.graph, asked, context.states))


@contextmanager
def _refusals() -> Iterator[None]:
    """The error for a refusal of the rules."""
    try:
        yield
    except RefusedQuestion as cause:
        raise SqlError(cause.sentence, cause.code, cause.sqlstate) from cause


def _one_text(function: str, arguments: Arguments) -> str:
    """The argument of a function with one parameter."""
    if len(arguments) != 1:
        raise _wrong_number(function, arguments)
    return "" if arguments[0] is None else str(arguments[0])


def _wrong_number(function: str, arguments: Arguments) -> SqlError:
    """The refusal, which names the call; where it stands in the statement is not told here."""
    call = f"{function}({', '.join(literal(str(argument)) for argument in arguments)})"
    return wrong_count(call, 1, len(arguments))


# -- steering


def task_dependents_enable(account: Account, session: Session, arguments: Arguments) -> bool:
    """Resume a whole graph.

    https://docs.snowflake.com/en/sql-reference/functions/system_task_dependents_enable
    """
    name = _one_text("SYSTEM$TASK_DEPENDENTS_ENABLE", arguments)
    commands.enable_dependents(account, resolve(name, session))
    return True


def cancel_ongoing_executions(account: Account, session: Session, arguments: Arguments) -> str:
    """Cancel the executing run of one task; the other tasks of its graph continue.

    https://docs.snowflake.com/en/sql-reference/functions/system_user_task_cancel_ongoing_executions
    """
    name = resolve(_one_text("SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS", arguments), session)
    task = commands.fetch(account, name)
    runner_of(account).cancel(task)
    return f"Cancelled the ongoing executions of task {name.fqn()}."


_WITHIN: Mapping[str, TaskFunction] = {
    "SYSTEM$SET_RETURN_VALUE": set_return_value,
    "SYSTEM$GET_PREDECESSOR_RETURN_VALUE": get_predecessor_return_value,
    "SYSTEM$GET_TASK_GRAPH_CONFIG": get_task_graph_config,
    "SYSTEM$TASK_RUNTIME_INFO": task_runtime_info,
    "SYSTEM$CURRENT_USER_TASK_NAME": current_user_task_name,
    "SYSTEM$PREDECESSORS_STATE": predecessors_state_function,
    "SYSTEM$TASK_COMPLETION_STATE": task_completion_state,
}

SYSTEM_FUNCTIONS: Mapping[str, SystemFunction] = {
    **{name: within_a_task(name, function) for name, function in _WITHIN.items()},
    "SYSTEM$TASK_DEPENDENTS_ENABLE": task_dependents_enable,
    "SYSTEM$USER_TASK_CANCEL_ONGOING_EXECUTIONS": cancel_ongoing_executions,
}
