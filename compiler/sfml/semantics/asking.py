"""The functions by which a task reads its graph's run: states of other tasks, and return values of ancestors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sfml.semantics.graph import GraphShape
from sfml.semantics.states import PREDECESSOR_CONDITIONS, State, predecessors_state

INVALID, NO_PREDECESSOR = 1008, 91451


class RefusedQuestion(ValueError):
    """A call that Snowflake refuses, which fails the task; `sentence` and `code` are Snowflake's."""

    def __init__(self, sentence: str, code: int, sqlstate: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.sqlstate = sqlstate


def state_seen(states: Mapping[str, State], name: str) -> State:
    """A task's state as conditions see it: a task that has not ended counts as NOT_EXECUTED."""
    state = states.get(name, State.NOT_EXECUTED)
    return state if state.is_final else State.NOT_EXECUTED


def predecessors_hold(graph: GraphShape, name: str, state: str, states: Mapping[str, State]) -> bool:
    """What SYSTEM$PREDECESSORS_STATE(asked) returns in the condition of the task `name`.

    Raises `RefusedQuestion` for a condition that does not exist.
    https://docs.snowflake.com/en/sql-reference/functions/system_predecessors_state
    """
    if state.upper() not in PREDECESSOR_CONDITIONS:
        allowed = ", ".join(PREDECESSOR_CONDITIONS)
        raise RefusedQuestion(
            f"Invalid argument '{state.upper()}' for function SYSTEM$PREDECESSORS_STATE. Use one of {allowed}.",
            INVALID,
            "22023",
        )
    enabled = graph.enabled_predecessors(name)
    return predecessors_state(state, [state_seen(states, predecessor) for predecessor in enabled])


def completion_state(graph: GraphShape, task: str, states: Mapping[str, State]) -> State:
    """What SYSTEM$TASK_COMPLETION_STATE(asked) returns.

    Raises `RefusedQuestion` for a task that is not in the graph.
    https://docs.snowflake.com/en/sql-reference/functions/system_task_completion_state
    """
    name = task if task in graph else task.upper()
    if name not in graph:
        sentence = f"Task {task} specified in call to SYSTEM$TASK_COMPLETION_STATE is not in the task graph."
        raise RefusedQuestion(sentence, INVALID, "22023")
    state = state_seen(states, name)
    return State.FAILED if state.is_failure else state


def read_predecessor(
    graph: GraphShape, name: str, predecessor: str | None, shown: Callable[[str], str] = str
) -> str:
    """The ancestor whose return value SYSTEM$GET_PREDECESSOR_RETURN_VALUE(asked) reads in the task `name`.

    Without `predecessor`, it is the only predecessor. `shown` writes the ancestor's name in a refusal. Raises
    `RefusedQuestion` where Snowflake refuses the call.
    https://docs.snowflake.com/en/sql-reference/functions/system_get_predecessor_return_value
    """
    if predecessor is None:
        enabled = graph.enabled_predecessors(name)
        if len(enabled) != 1:
            raise RefusedQuestion(
                "The task name is required in call to system$get_predecessor_return_value() "
                f"for a task with {len(enabled)} active predecessors.",
                NO_PREDECESSOR,
                "42601",
            )
        predecessor = enabled[0]
    # The predecessors come first, because collecting all ancestors takes long in a large graph.
    known = predecessor in graph.task(name).predecessors or predecessor in graph.ancestors(name)
    if not known or (predecessor != graph.root and graph.task(predecessor).suspended):
        raise RefusedQuestion(
            f"The predecessor {shown(predecessor)} specified in call to "
            "system$get_predecessor_return_value() is not a valid or active predecessor for this task.",
            NO_PREDECESSOR,
            "42601",
        )
    return predecessor
