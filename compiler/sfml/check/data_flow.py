"""SF3xx, data flow: whether the values that `${…}` reads exist."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, Label, Severity, did_you_mean, renaming
from sfml.catalog import StepFunction
from sfml.catalog.model import ResultRead
from sfml.catalog.shapes import NOTHING, AnyOf, Anything, ListOf, MapOf, Record, Shape, words
from sfml.check.case import Case, error, listed, warning
from sfml.check.conditions import name_in_snowflake
from sfml.check.fitting import absent_field, field_shape
from sfml.check.statements import ONLY_SET, SETTING, is_without_result
from sfml.graph.draft import TaskDraft, Use
from sfml.graph.model import JobBody, NotifyBody, Source, SqlBody
from sfml.graph.references import RUN_KEYS, written

_NOT_ABOVE = "Snowflake fails the graph when a task reads a task that is not its ancestor (091451)"


def _results_read(case: Case) -> Iterator[tuple[TaskDraft, Use, str]]:
    """Every reference to a task's result: the task that reads it, the reference, and the name of the task read."""
    for task in case.tasks:
        for use in task.uses:
            if use.reference.source is Source.RESULT:
                yield task, use, str(use.reference.task)


def _read_in_code(case: Case) -> Iterator[tuple[TaskDraft, StepFunction, ResultRead]]:
    """Every result that the code of a step reads by the name of a task, which stands there."""
    for task, body in case.steps():
        step = case.catalog.find(body.step)
        if step is not None:
            yield from ((task, step, read) for read in step.results_read)


def unknown_sources(case: Case) -> Iterator[Diagnostic]:
    """SF309: `${task…}` reads a task that does not run before.

    What: a task may read the results of all tasks that run before it, directly or over others; by `${…}`, and in the
    code of its step by `ctx.result("task")`.
    Why: Snowflake fails the whole graph when a task reads the result of a task that is not an ancestor (091451).
    Instead: add the task to `after`, or read another one.
    """
    finalizers = {task.name for task in case.draft.finalizers}
    for task, use, name in _results_read(case):
        if task.node.is_finalizer:
            continue
        shown = written(use.reference)
        if name not in case.known:
            fix = None
            if name in finalizers:
                message, help = f"`{shown}` reads the finalizer, which runs last", "read another task"
            else:
                message = f"`{shown}` reads unknown task `{name}`"
                above = case.reach.above(task.name)
                close = did_you_mean(name, above) or did_you_mean(name, case.known)
                help = close or (f"tasks above it: {listed(above)}" if above else "nothing runs before it")
                if name in case.draft.removed:
                    help = f"`{name}` is taken out in this target; read something else there"
                elif members := case.draft.groups.get(name):
                    message = f"`{shown}` reads `{name}`, of which `for_each` makes several tasks"
                    help = f"read one of them: {listed(members[:5], 'or')}"
                else:
                    fix = renaming(use.place.span, name, above if did_you_mean(name, above) else case.known)
            yield error("SF309", message, use.place, label="no task has this name", help=help, fix=fix)
        elif name == task.name:
            message = f"`{shown}` reads the result of the task itself"
            yield error("SF309", message, use.place, help="read a task above it")
        elif not case.reach.is_above(name, task.name) and task.name not in case.broken:
            yield error(
                "SF309",
                f"`{shown}` reads `{name}`, which does not run before `{task.name}`",
                use.place,
                labels=(Label(case.by_name[name].place("").span, "not above it"),),
                why=_NOT_ABOVE,
                help=f"add `{name}` to `after` of `{task.name}`",
            )
    yield from _unknown_sources_in_code(case)


def _unknown_sources_in_code(case: Case) -> Iterator[Diagnostic]:
    """What steps read by `ctx.result("task")`, if no such task runs before; a warning under a condition."""
    for task, step, read in _read_in_code(case):
        if task.node.is_finalizer or task.name in case.broken or case.reach.is_above(read.task, task.name):
            continue
        above = case.reach.above(task.name)
        if members := case.draft.groups.get(read.task):
            help = f"read one of the tasks that `for_each` makes: {listed(members[:5], 'or')}"
        elif read.task in case.known and read.task != task.name:
            help = f"add `{read.task}` to `after` of `{task.name}`"
        else:
            help = did_you_mean(read.task, above) or "read a task that runs before it"
        yield Diagnostic(
            "SF309",
            Severity.WARNING if read.is_conditional else Severity.ERROR,
            f"step `{step.name}` reads `{read.task}`, which does not run before `{task.name}`",
            task.place("step").span,
            path=task.place("step").path,
            labels=(Label(read.span, "read here"),),
            why=_NOT_ABOVE,
            help=help,
        )


def unknown_config_keys(case: Case) -> Iterator[Diagnostic]:
    """SF310: `${config.key}` reads a key that the graph's config does not have.

    What: the keys are those of `config:` in the job config.
    Why: the step would get no value.
    Instead: correct the key, or add it to `config`.
    """
    for task in case.tasks:
        for use in task.uses:
            key = str(use.reference.keys[0]) if use.reference.keys else ""
            if use.reference.source is Source.CONFIG and key not in case.draft.config:
                yield _unknown_config_key(case, use, key)


def _unknown_config_key(case: Case, use: Use, key: str) -> Diagnostic:
    """The finding for a key that does not exist, or whose value is null."""
    place = case.draft.places.get(f"config.{key}")
    if place is not None:
        return error(
            "SF310",
            f"`{written(use.reference)}` reads a config key whose value is null",
            use.place,
            label="there is no value to read",
            labels=(Label(place.span, "null leaves it out of the config"),),
            help=f"give `{key}` a value; a step that may do without one takes a default for its parameter",
        )
    help = did_you_mean(key, case.draft.config) or f"add it: `config: {{{key}: …}}`"
    message = f"`{written(use.reference)}` reads an unknown config key"
    fix = renaming(use.place.span, key, case.draft.config)
    return error("SF310", message, use.place, label=f"there is no `{key}`", help=help, fix=fix)


def unknown_run_keys(case: Case) -> Iterator[Diagnostic]:
    """SF317: `${run.key}` reads a key that a run does not have.

    What: a run has the keys `id`, `scheduled_at`, `task` and `root`.
    Why: the step would get no value.
    Instead: read one of these.
    """
    for task in case.tasks:
        for use in task.uses:
            key = str(use.reference.keys[0]) if use.reference.keys else ""
            if use.reference.source is Source.RUN and key not in RUN_KEYS:
                help = did_you_mean(key, RUN_KEYS) or f"a run has {listed(list(RUN_KEYS))}"
                message = f"`{written(use.reference)}` reads an unknown part of the run"
                yield error(
                    "SF317", message, use.place, help=help, fix=renaming(use.place.span, key, RUN_KEYS)
                )


def unknown_fields(case: Case) -> Iterator[Diagnostic]:
    """SF311: `${task.field}` reads a field that the task's result does not have.

    What: the path exists in the type that the step function is annotated to return. A field that its `TypedDict` does
    not require is a warning.
    Why: the step that reads it would fail.
    Instead: correct the field, or declare it in the result's TypedDict or dataclass.
    """
    for _, use, name in _results_read(case):
        source = case.task(name)
        step = case.step_of(source) if source is not None else None
        if step is None or step.returns is None or step.returns == NOTHING:
            continue
        field = field_shape(step.returns, use.reference.keys)
        if isinstance(field, tuple):
            key, shape = field
            help = (did_you_mean(key, _fields(shape)) if isinstance(key, str) else None) or _has(shape)
            message = f"`{written(use.reference)}`: the result of `{name}` has no `{key}`"
            labels = (Label(step.returns_span, "what it returns"),) if step.returns_span else ()
            fix = renaming(use.place.span, key, _fields(shape)) if isinstance(key, str) else None
            label = f"no `{key}` there"
            yield error("SF311", message, use.place, label=label, labels=labels, help=help, fix=fix)
        elif (lacking := absent_field(step.returns, use.reference.keys)) is not None:
            key, record = lacking
            label = f"`{record}` does not require it"
            yield warning(
                "SF311",
                f"`{written(use.reference)}`: the result of `{name}` may lack `{key}`",
                use.place,
                labels=(Label(step.returns_span, label),) if step.returns_span else (),
                why=f"the task that reads it fails when `{name}` leaves it out",
                help=f"let `{record}` require `{key}`, or read the whole mapping and look it up in the step",
            )


def _fields(shape: Shape) -> tuple[str, ...]:
    match shape:
        case Record(fields=fields):
            return tuple(fields)
        case AnyOf(options=options):
            return tuple(field for option in options for field in _fields(option))
        case _:
            return ()


def _has(shape: Shape) -> str:
    match shape:
        case Record(fields=fields):
            return f"it has {listed(list(fields))}"
        case ListOf():
            return "it is a list: read `[0]`, `[1]` …"
        case MapOf() | Anything():
            return "read one of its keys by name"
        case _:
            return f"it is {words(shape)}"


def nothing_returned(case: Case) -> Iterator[Diagnostic]:
    """SF316: `${task…}` reads a task that returns nothing.

    What: results come from step functions that return a value, and from procedures or statements that set the return
    value themselves, by `SYSTEM$SET_RETURN_VALUE`.
    Why: the reader would get no value.
    Instead: let the step return the value.
    """
    for _, use, name in _results_read(case):
        source = case.task(name)
        if source is None:
            continue
        message = f"`{written(use.reference)}` reads `{name}`, which returns nothing"
        step = case.step_of(source)
        if step is not None and step.returns == NOTHING:
            labels = (Label(step.returns_span, "returns nothing"),) if step.returns_span else ()
            yield error("SF316", message, use.place, labels=labels, help=f"let `{step.name}` return a value")
        elif isinstance(source.node.body, NotifyBody):
            yield error("SF316", message, use.place, help="a notification has no result; read another task")
        elif isinstance(source.node.body, SqlBody) and is_without_result(source.node.body):
            yield error("SF316", message, use.place, why=ONLY_SET, help=SETTING)


def finalizer_reads(case: Case) -> Iterator[Diagnostic]:
    """SF314: the finalizer reads the result of a task.

    What: the finalizer may read `${config.…}` and `${run.…}` only.
    Why: it has no predecessors, and in Snowflake a task can read only the results of its ancestors (091451).
    Instead: let the tasks write the values to the stage or a table, under the id of the run.
    """
    for task, use, name in _results_read(case):
        if task.node.is_finalizer:
            yield error(
                "SF314",
                f"the finalizer reads the result of `{name}`",
                use.place,
                why="it has no ancestors, and in Snowflake a task can read only the results of its ancestors",
                help="keep what it needs on the stage or in a table, under `${run.id}`",
            )
    for task, step, read in _read_in_code(case):
        if task.node.is_finalizer:
            yield error(
                "SF314",
                f"step `{step.name}` of the finalizer reads the result of `{read.task}`",
                task.place("step"),
                labels=(Label(read.span, "read here"),),
                why="it has no ancestors, and in Snowflake a task can read only the results of its ancestors",
                help="keep what it needs on the stage or in a table, under the id of the run",
            )


def unread_references(case: Case) -> Iterator[Diagnostic]:
    """SF322: `{{ … }}` or `${…}` stands where it is not replaced.

    What: statements and conditions are sent to Snowflake as they are written. In settings such as `env_vars`,
    `comment` and `tags`, `{{ … }}` is evaluated, but `${…}` is not: they are fixed when the pipeline is applied.
    Why: text that is put into SQL could become SQL; and the braces are probably not meant literally.
    Instead: use `call` with arguments, or read the value in SQL: `SYSTEM$GET_TASK_GRAPH_CONFIG('key')`,
    `SYSTEM$GET_PREDECESSOR_RETURN_VALUE('TASK')`.
    """
    yield from _unread_in_settings(case)
    for task in case.tasks:
        texts = [("when", task.node.when or "")]
        if isinstance(task.node.body, SqlBody) and task.node.body.file is None:
            texts.append(("sql", task.node.body.text))
        for setting, text in texts:
            for mark, end in (("{{", "}}"), ("${", "}")):
                if mark in text and end in text:
                    message = (
                        f"`{mark}…{end}` in `{setting}` of `{task.name}` reaches Snowflake as it is written"
                    )
                    help = _read_in_sql(case, setting, text)
                    yield Diagnostic.warning(
                        "SF322",
                        message,
                        at=task.place(setting).span,
                        path=task.place(setting).path,
                        help=help,
                    )


def _read_in_sql(case: Case, setting: str, text: str) -> str:
    """The help that says how to read in SQL, or in a condition, the value that the text tries to read by `${…}`."""
    source, _, rest = text.partition("${")[2].partition("}")[0].strip().partition(".")
    reader = None
    if setting == "when" and source in case.by_name:
        name = name_in_snowflake(case, source)
        reader = f"ask for the whole result, `SYSTEM$GET_PREDECESSOR_RETURN_VALUE('{name}')`"
    elif setting == "when":
        return "decide it in a step with `outcomes`: a condition reads results of tasks and streams alone"
    elif source in case.by_name:
        reader = f"read it in SQL: `SYSTEM$GET_PREDECESSOR_RETURN_VALUE('{name_in_snowflake(case, source)}')`"
    elif source == "config" and rest:
        reader = f"read it in SQL: `SYSTEM$GET_TASK_GRAPH_CONFIG('{rest}')`"
    reader = reader or "read it in SQL: `SYSTEM$GET_TASK_GRAPH_CONFIG('key')`"
    return (
        f"{reader}; or decide in a step with `outcomes`"
        if setting == "when"
        else f"{reader}; or use `call` with `args`"
    )


def _unread_in_settings(case: Case) -> Iterator[Diagnostic]:
    for task in case.tasks:
        node = task.node
        texts = [("comment", node.comment or "")]
        for setting in ("env_vars", "tags", "session_parameters"):
            texts += [(f"{setting}.{key}", str(value)) for key, value in getattr(node, setting).items()]
        for setting, text in texts:
            if "${" in text and "}" in text:
                message = f"`${{…}}` in `{setting}` of `{task.name}` is not read: it is fixed when applied"
                help = "give it under `with:`, or write the value itself"
                yield warning("SF322", message, task.place(setting), help=help)


def job_arguments(case: Case) -> Iterator[Diagnostic]:
    """SF327: an argument of a job is the result of a task.

    What: `args` of a `job` are its command line, which is fixed when the pipeline is applied.
    Why: Snowflake starts the job with the arguments of its definition, so no value can be filled in at run time.
    Instead: read it in the script, with `SYSTEM$GET_PREDECESSOR_RETURN_VALUE`, or use a step on a pool.
    """
    for task in case.tasks:
        if isinstance(task.node.body, JobBody):
            for use in task.uses:
                message = f"`{written(use.reference)}` cannot be put on the command line of a job"
                why = "a job starts with the arguments that it was registered with"
                help = "use a step with `run_on: {pool: …}`, or read it in the script"
                yield error("SF327", message, use.place, why=why, help=help)
