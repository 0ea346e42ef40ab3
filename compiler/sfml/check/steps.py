"""SF3xx, steps: the function that a task names, its arguments, and its packages."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, Label, did_you_mean, renaming
from sfml.catalog import NotFound, StepAbsence, StepFunction
from sfml.catalog.model import Parameter
from sfml.catalog.shapes import ANYTHING, NOTHING, Literals, Primitive, Shape, words
from sfml.check.case import Case, error, listed, warning
from sfml.check.fitting import field_shape, misfit
from sfml.check.programs import programs_of
from sfml.check.requested import missing_packages
from sfml.graph.located import Place
from sfml.graph.model import OnPool, Reference, Source, StepBody, Value


def missing_modules(case: Case) -> Iterator[Diagnostic]:
    """SF301: a step's module does not exist.

    What: `step: package.module.function` names a function of a Python file `package/module.py` in one of the project's
    steps roots.
    Why: the task would have no code.
    Instead: correct the name, or write the module.
    """
    for task, body in case.steps():
        step = case.catalog.look_up(body.step)
        if isinstance(step, NotFound) and step.reason is StepAbsence.MODULE:
            module = body.step.rpartition(".")[0]
            where = listed(tuple(f"{folder}/" for folder in case.catalog.folders), "or") or "a steps folder"
            help = did_you_mean(module, step.known)
            help = help or f"write {module.replace('.', '/')}.py under {where}"
            message = f"step `{body.step}`: there is no module `{module}`"
            place = task.place("step")
            fix = renaming(place.span, module, step.known)
            yield error("SF301", message, place, label="no such module", help=help, fix=fix)


def missing_functions(case: Case) -> Iterator[Diagnostic]:
    """SF302: a step's module has no such step function.

    What: the last part of `step:` is a top-level function of its module. It is decorated with `@step`, and its first
    parameter takes the context. It is neither `async` nor a generator.
    Why: the runtime calls that function, and refuses a function without the decorator.
    Instead: correct the name, or decorate the function.
    """
    for task, body in case.steps():
        step = case.catalog.look_up(body.step)
        module, _, function = body.step.rpartition(".")
        if isinstance(step, NotFound) and step.reason is StepAbsence.FUNCTION:
            help = did_you_mean(function, step.known)
            if help is None:
                help = (
                    f"`{module}` has {listed(step.known)}" if step.known else f"`{module}` has no functions"
                )
            message = f"step `{body.step}`: module `{module}` has no function `{function}`"
            place = task.place("step")
            fix = renaming(place.span, function, step.known)
            yield error("SF302", message, place, label="no such function", help=help, fix=fix)
        elif isinstance(step, StepFunction) and not step.is_step:
            labels = (Label(step.span, "not decorated"),)
            message = f"`{body.step}` is not a step"
            help = "put `@step` above it: `from sfml_steps import step`"
            yield error("SF302", message, task.place("step"), labels=labels, help=help)
        elif isinstance(step, StepFunction) and not step.takes_context:
            labels = (Label(step.span, "takes nothing"),)
            message = f"step `{body.step}` has no parameter for its context"
            help = "let its first parameter be a `Context` or a Snowpark `Session`"
            yield error("SF302", message, task.place("step"), labels=labels, help=help)
        elif isinstance(step, StepFunction) and step.problem is not None:
            labels = (Label(step.span, "cannot be called for its result"),)
            message = f"step `{body.step}` {step.problem}, so calling it gives no result"
            help = "define it with `def` and return the result; `asyncio.run` runs what is `async` inside it"
            yield error("SF302", message, task.place("step"), labels=labels, help=help)
        elif isinstance(step, StepFunction) and step.decorator_arguments is not None:
            labels = (Label(step.decorator_arguments, "takes nothing"),)
            message = f"step `{body.step}` is decorated with arguments, and `@step` takes none"
            help = "write `@step`; what a task is called and how it runs stands in the spec"
            yield error("SF302", message, task.place("step"), labels=labels, help=help)


def other_decorators(case: Case) -> Iterator[Diagnostic]:
    """SF348: the decorator `step` above a function is not the one of `sfml_steps`.

    What: a step is decorated with `step` of `sfml_steps`, not with a function of the project that has the same name.
    Why: the runtime runs only functions that its own decorator has registered.
    Instead: `from sfml_steps import step`.
    """
    for task, body in case.steps():
        step = case.catalog.find(body.step)
        if step is not None and step.lookalike is not None:
            yield warning(
                "SF348",
                f"`{body.step}` is decorated with another `step` than that of `sfml_steps`",
                task.place("step"),
                labels=(Label(step.lookalike, "this one"),),
                help="take it from the runtime: `from sfml_steps import step`",
            )


def broken_modules(case: Case) -> Iterator[Diagnostic]:
    """SF303: a module of step code, or the script of a job, is not valid Python.

    What: the module of a step, and every module that it imports under the steps folders, can be parsed. So can the
    script of a job, and the modules of its folder that it imports.
    Why: a module that cannot be parsed can neither be checked nor run.
    Instead: correct it; the message is Python's.
    """
    for _, body in case.steps():
        for module in case.catalog.modules_of(body.step):
            if module.error is not None and module.error.code == "SF303":
                yield module.error
    for program in programs_of(case):
        if program.is_script:
            scripts = (module for module in program.modules if module.file.endswith(".py"))
            yield from (one.error for one in scripts if one.error and one.error.code == "SF303")


def misplaced_arguments(case: Case) -> Iterator[Diagnostic]:
    """SF320: a task without a step function has `with:`.

    What: `with:` holds the arguments of a step function.
    Why: on other tasks it would have no effect.
    Instead: use `args` for `call` and `job`.
    """
    for task in case.tasks:
        if "with" in task.raw_settings and not isinstance(task.node.body, StepBody):
            message = f"task `{task.name}` has `with` but runs no step"
            help = "take it out; `call` and `job` have `args`"
            yield error("SF320", message, task.place("with!key"), help=help)


def unknown_arguments(case: Case) -> Iterator[Diagnostic]:
    """SF306: `with:` gives an argument that the step does not take.

    What: every key under `with:` is a parameter of the function, other than the first one, its context.
    Why: the call would fail.
    Instead: correct the name, or add the parameter.
    """
    for task, body in case.steps():
        step = case.catalog.find(body.step)
        if step is None:
            continue
        known = [parameter.name for parameter in step.parameters]
        for name in body.arguments:
            if name not in known and not (step.takes_any and name != step.context):
                free = set(known) - body.arguments.keys()
                help = did_you_mean(name, free)
                help = help or (f"it takes {listed(known)}" if known else "it takes no arguments")
                if name == step.context:
                    help = (
                        f"the first parameter of a step is its context: write `ctx: Context` before `{name}`"
                    )
                place = task.place(f"with.{name}!key", "with")
                yield error(
                    "SF306",
                    f"step `{step.name}` takes no argument `{name}`",
                    place,
                    labels=(Label(step.span, "the step"),),
                    help=help,
                    fix=renaming(place.span, name, free),
                )


def missing_arguments(case: Case) -> Iterator[Diagnostic]:
    """SF307: `with:` lacks an argument that the step needs.

    What: `with:` holds every parameter that has no default.
    Why: the call would fail.
    Instead: add it under `with:`, or give the parameter a default.
    """
    for task, body in case.steps():
        step = case.catalog.find(body.step)
        for parameter in step.parameters if step else ():
            if parameter.is_required and parameter.name not in body.arguments:
                close = did_you_mean(parameter.name, body.arguments)
                unknown = [name for name in body.arguments if step and step.parameter(name) is None]
                if close and any(f"`{name}`" in close for name in unknown):
                    continue  # SF306 reports the misspelt argument, and names this one in its help
                annotation = f": {parameter.annotation}" if parameter.annotation else ""
                yield error(
                    "SF307",
                    f"step `{body.step}` needs the argument `{parameter.name}`",
                    task.place("with!key", "step"),
                    labels=(Label(parameter.span, "no default"),),
                    help=f"add `with: {{{parameter.name}: …}}` ({parameter.name}{annotation})",
                )


def wrong_arguments(case: Case) -> Iterator[Diagnostic]:
    """SF308: an argument does not have the type of its parameter.

    What: values under `with:`, and the results and config values that are read there, fit the parameter's annotation.
    Arguments arrive as JSON gives them, so that a parameter that takes a `date` or a dataclass is a warning.
    Why: the step would get a value of a type that it does not expect.
    Instead: correct the value, or the annotation.
    """
    for task, body in case.steps():
        step = case.catalog.find(body.step)
        for name, value in body.arguments.items():
            parameter = step.parameter(name) if step else None
            if parameter is None:
                continue
            reason = misfit(value, parameter.shape, lambda reference: reference_shape(case, reference))
            if reason is None and parameter.object_type is not None and value is not None:
                yield _never_such(name, parameter, task.place(f"with.{name}"))
            if reason is not None:
                yield error(
                    "SF308",
                    f"argument `{name}` {reason}",
                    task.place(f"with.{name}"),
                    labels=(Label(parameter.span, f"takes {words(parameter.shape)}"),),
                    help=_type_help(value, parameter.shape),
                )


def _never_such(name: str, parameter: Parameter, place: Place) -> Diagnostic:
    """The finding for a parameter whose type JSON does not have; the step may get along with what it gets instead."""
    assert parameter.object_type is not None
    type_name, making = parameter.object_type
    return warning(
        "SF308",
        f"argument `{name}` arrives as JSON gives it, never as a `{type_name}`",
        place,
        labels=(Label(parameter.span, f"takes a `{type_name}`"),),
        why="arguments are read from JSON: dates and other objects are text, numbers, lists and mappings there",
        help=f"annotate it with what JSON gives, and convert it in the step: `{making.format(name)}`",
    )


def _type_help(value: Value, shape: Shape) -> str | None:
    if shape == Primitive("str") and isinstance(value, (int, float, bool)):
        word = str(value).lower() if isinstance(value, bool) else value
        return f'quote it: "{word}"'
    if isinstance(value, str) and shape in (Primitive("int"), Primitive("float")):
        return "write it without quotes" if value.replace(".", "", 1).lstrip("-").isdigit() else None
    if isinstance(value, str) and isinstance(shape, Literals):
        return did_you_mean(value, (str(one) for one in shape.values))
    return None


def reference_shape(case: Case, reference: Reference) -> Shape:
    """The shape of the value that a reference reads; `ANYTHING` if it is not known, or if the reference is wrong."""
    match reference.source:
        case Source.CONFIG:
            value = case.draft.config.get(str(reference.keys[0]))
            match value:
                case None:
                    return ANYTHING
                case bool():
                    return Primitive("bool")
                case str():
                    return Primitive("str")
                case int():
                    return Primitive("int")
                case _:
                    return Primitive("float")
        case Source.RUN:
            return Primitive("str")
        case Source.RESULT:
            task = case.task(reference.task or "")
            step = case.step_of(task) if task is not None else None
            if step is None:
                return ANYTHING
            field = field_shape(step.result, reference.keys)
            # Other rules report a field that does not exist, and a step that returns nothing.
            return ANYTHING if isinstance(field, tuple) or field == NOTHING else field


def unrequested_packages(case: Case) -> Iterator[Diagnostic]:
    """SF326: a step imports a package that its task does not request.

    What: `packages` holds the packages that a step's modules import at their top, and in the functions that the step
    calls. Imports under a condition, or whose `ImportError` is caught, are not checked.
    Why: a procedure has only the packages that it requests; the import would fail when the task runs.
    Instead: add the package to `packages`.
    """
    for task, body in case.steps():
        if isinstance(task.node.run_on, OnPool) or case.catalog.find(body.step) is None:
            continue  # the container runtime of ML Jobs has the packages for training
        missing = missing_packages(case.catalog, body.step, task.node.packages)
        if missing:
            message = f"step `{body.step}` imports {listed(missing)}, which the task does not request"
            help = f"add {listed(missing)} to `packages`"
            yield warning("SF326", message, task.place("packages", "step"), help=help)
