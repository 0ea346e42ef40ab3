"""Runs a step for a task: reads its arguments, calls it, and sets its result as the task's return value.

The procedure in a task's body calls `run_step`, the entry point of an ML Job calls `run_job`. Both get the call as
JSON:

    {"pipeline": "clv", "task": "train_model", "step": "clv.train.train_model", "root": "CLV",
     "stage": "@DB.CLV.SFML", "with": {"features": {"$result": ["CLV$PREPARE_DATA", "features"]}},
     "outcomes": {"good": "GOOD"}, "branches": {"CLV$CHECK": {"GOOD": "good"}}}

In a part of a run, which is a graph of its own, `"run": {"id": …, "scheduled_at": …, "root": …}` is the run that the
part continues, and `"absent": […]` names the tasks that were skipped there or did not succeed.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sfml_steps.context import Context, Json, Run
from sfml_steps.errors import StepError
from sfml_steps.logs import task_logger
from sfml_steps.registration import decorated
from sfml_steps.results import outcome_text, result_text
from sfml_steps.task import TaskFunctions, moment
from sfml_steps.values import Sources, resolve

if TYPE_CHECKING:
    from snowflake.snowpark import Session


def run_job(call_json: str) -> None:
    """Run a step in an ML Job, with the session of the job's container."""
    from snowflake.snowpark import Session

    run_step(Session.builder.getOrCreate(), call_json)


def run_step(session: Session, call_json: str) -> str | None:
    """Run a step in a task, set the task's return value, and return its text."""
    call = json.loads(call_json)
    logger = task_logger(call["step"])
    task = TaskFunctions(session, branch_outcomes(call), call.get("absent") or ())
    run_id, scheduled_at = task.run_info()
    earlier = call.get("run")
    if earlier is None:
        run = Run(run_id, call["task"], call["root"], call["pipeline"], scheduled_at)
    else:
        run = Run(
            earlier["id"], call["task"], earlier["root"], call["pipeline"], moment(earlier["scheduled_at"])
        )
    tag_queries(session, run, part=None if earlier is None else run_id)
    context = Context(
        run=run,
        stage=call["stage"],
        logger=logger,
        session=session,
        read_config=task.config,
        read_result=lambda name: task.result(ancestor(call, name)),
    )
    function = load(call["step"])
    arguments = resolve(call.get("with", {}), Sources(task.result, task.config, run))
    text = returned_text(call, invoke(function, context, arguments, call["step"]))
    if text is not None:
        task.set_return_value(text)
    return text


def load(step: str) -> Callable[..., Any]:
    """Return the step function with this dotted name; raise StepError if there is none."""
    module_name, _, name = step.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name + ".").startswith(error.name + "."):
            raise StepError(
                f"there is no module `{module_name}` in this task's code: apply it again"
            ) from error
        raise StepError(
            f"`{module_name}` imports `{error.name}`, which is not installed here: "
            "add it to the task's `packages` (or `pip`, for a job)"
        ) from error
    function: Callable[..., Any] | None = getattr(module, name, None)
    if function is None:
        raise StepError(f"`{module_name}` has no function `{name}`, which the spec names as a step")
    if not callable(function) or decorated(function, module_name, name) is None:
        raise StepError(f"`{step}` is not a step: write @step above it (from sfml_steps import step)")
    return function


def invoke(function: Callable[..., Any], context: Context, arguments: Mapping[str, Json], step: str) -> Any:
    """Call a step with its context or session, and its arguments by name; return its result."""
    signature = inspect.signature(function)
    original = decorated(function, *step.rpartition(".")[::2]) or function
    wants = wants_session(inspect.signature(original), getattr(original, "__globals__", {}))
    first = context.session if wants else context
    try:
        positional, named = _by_kind(signature, arguments)
        bound = signature.bind(first, *positional, **named)
    except TypeError as error:
        raise StepError(f"{step}{signature} does not take what `with:` gives it: {error}") from error
    value = function(*bound.args, **bound.kwargs)
    if inspect.isawaitable(value) or inspect.isgenerator(value):
        if inspect.iscoroutine(value):
            value.close()
        raise StepError(
            f"calling `{step}` gives no result, because it is async or yields: define it with `def`"
        )
    return value


def _by_kind(
    signature: inspect.Signature, arguments: Mapping[str, Json]
) -> tuple[list[Json], dict[str, Json]]:
    """Return the arguments for positional-only parameters after the first, and the other arguments by name."""
    positional: list[Json] = []
    named = dict(arguments)
    for parameter in [*signature.parameters.values()][1:]:
        if parameter.kind is not parameter.POSITIONAL_ONLY:
            break
        if parameter.name in named:
            positional.append(named.pop(parameter.name))
        elif parameter.default is not parameter.empty:
            positional.append(parameter.default)
        else:
            raise TypeError(f"missing a required argument: '{parameter.name}'")
    return positional, named


def wants_session(signature: inspect.Signature, names: Mapping[str, Any] | None = None) -> bool:
    """Return whether the first parameter is a Snowpark `Session`: by its annotation, else by the name `session`.

    `names` are the names of the function's module, in which an annotation that is a text is looked up.
    """
    first = next(iter(signature.parameters.values()), None)
    if first is None:
        raise StepError(f"a step's first parameter is a Context or a Session; this one has {signature}")
    annotation = first.annotation
    if annotation is inspect.Parameter.empty:
        return first.name == "session"
    if isinstance(annotation, type):
        return annotation.__name__ == "Session"
    words = set(re.findall(r"\w+", str(annotation)))
    words |= {getattr((names or {}).get(word), "__name__", word) for word in words}
    return "Session" in words and "Context" not in words


def returned_text(call: Mapping[str, Any], value: Any) -> str | None:
    """Return the text for the task's return value: an outcome for a branch, else JSON."""
    outcomes = call.get("outcomes")
    if outcomes is not None:
        return outcome_text(value, outcomes, call["step"])
    return result_text(value, call["step"])


def branch_outcomes(call: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Return name of a branch in Snowflake → return value → outcome, for the branches that the step may read."""
    return dict(call.get("branches") or {})


def ancestor(call: Mapping[str, Any], name: str) -> str:
    """Return the name in Snowflake of a task of the same pipeline."""
    return f"{call['root']}${name.upper()}"


def tag_queries(session: Session, run: Run, part: str | None = None) -> None:
    """Set the query tag of this task's statements, by which costs and history can be found.

    `part` is the id of the part of the run that the task belongs to, if it does not belong to the run itself.
    """
    tag = {"sfml": {"pipeline": run.pipeline, "task": run.task, "run": run.id}}
    if part is not None:
        tag["sfml"]["part"] = part
    try:
        session.query_tag = json.dumps(tag, separators=(",", ":"))
    except Exception as error:  # a step does not fail because of its query tag
        task_logger("sfml_steps.runtime").warning(
            "the queries of this task stay without a run tag: %s", error
        )
