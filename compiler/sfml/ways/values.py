"""The results without which a task's body fails.

Snowflake returns NULL for the result of a task that did not succeed. The step runtime refuses to read a field of NULL,
and a notification fails if its message is NULL. Other bodies get NULL or `None`, which they may handle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sfml.graph.model import NotifyBody, Reference, Source, StepBody, TaskNode, Template
from sfml.graph.references import references_in, written
from sfml.semantics.states import CAME, State
from sfml.ways.shape import Behaviour


def needed_results(node: TaskNode) -> Iterator[Reference]:
    """The references without whose values the body fails: fields that a step reads, and those in a message's text."""
    match node.body:
        case StepBody(arguments=arguments):
            for value in arguments.values():
                yield from (
                    reference for reference in references_in(value) if is_result(reference) and reference.keys
                )
        case NotifyBody(message=Reference() | Template() as message):
            yield from (reference for reference in references_in(message) if is_result(reference))


def is_result(reference: Reference) -> bool:
    """Whether a reference reads the result of a task."""
    return reference.source is Source.RESULT


def missing_result(behaviour: Behaviour, node: TaskNode, states: Mapping[str, State]) -> str | None:
    """Why the body fails because of a missing result; None if it does not. `states` are by names in Snowflake."""
    for reference in needed_results(node):
        source = str(reference.task)
        state = states.get(behaviour.raw_names.get(source, ""), State.NOT_EXECUTED)
        if state is not State.SUCCEEDED:
            return f"`{written(reference)}` is not there: `{source}` {CAME.get(state, 'never ran')}"
    return None
