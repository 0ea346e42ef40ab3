"""The results that a task's body reads, and what it comes to when one of them is not there.

Snowflake answers NULL for what a task that did not succeed would have returned. The runtime refuses to look for a
field in it; a notification has no message then; everything else gets NULL, or `None`, and may know what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.graph.model import NotifyBody, Reference, Source, StepBody, TaskNode, Template
from sfml.graph.references import references_in, written
from sfml.semantics.states import CAME, State
from sfml.ways.shape import Behaviour


def needed_results(node: TaskNode) -> Iterator[Reference]:
    """The results without which the body fails: fields that a step reads, and what the text of a message reads."""
    match node.body:
        case StepBody(arguments=arguments):
            for value in arguments.values():
                yield from (one for one in references_in(value) if is_result(one) and one.keys)
        case NotifyBody(message=Reference() | Template() as message):
            yield from (one for one in references_in(message) if is_result(one))


def is_result(reference: Reference) -> bool:
    """Whether it reads what a task returned."""
    return reference.source is Source.RESULT


def missing_result(behaviour: Behaviour, node: TaskNode, states: Mapping[str, State]) -> str | None:
    """Why the body fails for what it reads; `states` are by the tasks' names in Snowflake."""
    for reference in needed_results(node):
        source = str(reference.task)
        state = states.get(behaviour.raw_names.get(source, ""), State.NOT_EXECUTED)
        if state is not State.SUCCEEDED:
            return f"`{written(reference)}` is not there: `{source}` {CAME.get(state, 'never ran')}"
    return None
