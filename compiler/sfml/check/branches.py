"""SF3xx, branches: outcomes, the tasks that they start, and tasks that join their arms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sfml.base.diagnostic import Diagnostic, Label, did_you_mean, renaming
from sfml.catalog import StepFunction
from sfml.check.case import Case, error, listed, warning
from sfml.check.statements import ONLY_SET, SETTING, is_without_result
from sfml.graph.draft import TaskDraft
from sfml.graph.model import NotifyBody, SqlBody
from sfml.graph.topology import topological_order
from sfml.semantics.conditions import decides_on_predecessors

_NOT_CHOSEN = (
    "Snowflake compares the name exactly; no arm would run, and the graph would still count as SUCCEEDED"
)


def unknown_outcome_tasks(case: Case) -> Iterator[Diagnostic]:
    """SF304: an outcome starts a task that does not exist.

    What: in the list form, every outcome is the name of a task; in the mapping form, the values are names of tasks.
    Why: Snowflake compares the name exactly; no arm would run, and the graph would still count as SUCCEEDED.
    Instead: correct the name; an outcome that starts nothing is written `name: []`.
    """
    finalizers = {task.name for task in case.draft.finalizers}
    for task in case.tasks:
        for outcome, refs in (task.outcomes or {}).items():
            for ref in refs:
                if ref.name in case.known or ref.name in finalizers:
                    continue
                if f"outcomes.{outcome}" in task.places:
                    message = f"outcome `{outcome}` starts unknown task `{ref.name}`"
                else:
                    message = f"outcome `{ref.name}` is not a task"
                label = "no task has this name"
                if ref.name in case.draft.removed:
                    label = "`enabled: false` in this target"
                step = case.step_of(task)
                others = case.known - {task.name}
                fix = None if ref.name in case.draft.removed else renaming(ref.place.span, ref.name, others)
                help = did_you_mean(ref.name, others)
                help = help or "name a task, or write the outcomes as a mapping: `{" + outcome + ": []}`"
                labels = _returned(step, ref.name)
                yield error(
                    *("SF304", message, ref.place),
                    label=label,
                    labels=labels,
                    why=_NOT_CHOSEN,
                    help=help,
                    fix=fix,
                )


def _returned(step: StepFunction | None, name: str) -> tuple[Label, ...]:
    """The label at the step's return annotation, or at the outcome in it that is close to `name`."""
    if step is None or not step.outcomes:
        return ()
    close = did_you_mean(name, (outcome.name for outcome in step.outcomes)) or ""
    for outcome in step.outcomes:
        if f"`{outcome.name}`" in close:
            return (Label(outcome.span, "the step returns this"),)
    return (Label(step.returns_span, "the step returns these"),) if step.returns_span else ()


def outcomes_and_code(case: Case) -> Iterator[Diagnostic]:
    """SF305: the outcomes in the spec are not those that the step returns.

    What: the outcomes of a branch are exactly the texts in the `Literal[…]` that its step function returns.
    Why: a step fails when it returns an outcome that the spec does not have; and an outcome that is never returned
    has an arm that never runs.
    Instead: write the same names in both; an outcome that starts nothing is written `name: []`.
    """
    for task in case.tasks:
        step = case.step_of(task)
        if task.outcomes is None or step is None:
            continue
        if step.outcomes is None:
            yield from _undeclared(task, step)
            continue
        declared = {outcome.name: outcome for outcome in step.outcomes}
        is_list = not any(key.startswith("outcomes.") for key in task.places)
        for outcome, refs in task.outcomes.items():
            if outcome in declared or (is_list and outcome not in case.known):
                continue  # the latter has a finding already: an unknown task (SF304)
            place = refs[0].place if is_list and refs else task.place(f"outcomes.{outcome}!key", "outcomes")
            free = declared.keys() - task.outcomes.keys()
            help = did_you_mean(outcome, free)
            fix = None if is_list else renaming(place.span, outcome, free)
            help = help or f"the step returns {listed(tuple(declared), 'or')}"
            message = f"outcome `{outcome}` is never returned by `{step.name}`"
            labels = (Label(step.returns_span, "all that it returns"),) if step.returns_span else ()
            why = "this arm would never run"
            yield error("SF305", message, place, labels=labels, why=why, help=help, fix=fix)
        missing = [outcome for outcome in step.outcomes if outcome.name not in task.outcomes]
        if is_list and any(outcome not in case.known for outcome in task.outcomes):
            missing = []  # one of these is probably meant by the misspelt name in the list
        for left_out in missing:
            message = f"task `{task.name}` does not say what outcome `{left_out.name}` starts"
            help = f"add `{left_out.name}` to the outcomes"
            if left_out.name not in case.known:
                help = f"write the outcomes as a mapping with `{left_out.name}: […]`; `[]` starts nothing"
            labels = (Label(left_out.span, "the step may return this"),)
            yield error("SF305", message, task.place("outcomes"), labels=labels, help=help)


def _undeclared(task: TaskDraft, step: StepFunction) -> Iterator[Diagnostic]:
    names = ", ".join(f'"{name}"' for name in task.outcomes or ())
    yield warning(
        "SF305",
        f"`{step.name}` does not declare the outcomes that it returns",
        task.place("outcomes"),
        labels=(Label(step.returns_span or step.span, "not a `Literal` of outcomes"),),
        why="a misspelt outcome is only noticed when the task runs",
        help=f"let it return `Literal[{names}]`",
    )


def branches_that_cannot_choose(case: Case) -> Iterator[Diagnostic]:
    """SF319: a task has outcomes but cannot return one.

    What: `outcomes` is for tasks that set a return value: steps, procedures, statements and scripts.
    Why: a notification returns nothing, and neither does a statement that does not call `SYSTEM$SET_RETURN_VALUE`, so
    no arm would ever be chosen.
    Instead: decide in a step before or after it.
    """
    for task in case.tasks:
        if task.outcomes is not None and isinstance(task.node.body, NotifyBody):
            message = f"task `{task.name}` cannot return an outcome"
            why = "a notification sets no return value"
            yield error("SF319", message, task.place("outcomes"), why=why, help="decide in a step function")
        elif (
            task.outcomes is not None
            and isinstance(task.node.body, SqlBody)
            and is_without_result(task.node.body)
        ):
            message = f"task `{task.name}` cannot return an outcome"
            yield error("SF319", message, task.place("outcomes"), why=ONLY_SET, help=SETTING)


def never_joined(case: Case) -> Iterator[Diagnostic]:
    """SF312: a task joins arms of a branch and can never run.

    What: a task whose predecessors are in different arms of one branch needs `run_if`.
    Why: a task starts when all its predecessors have succeeded. Of the arms of a branch only the chosen one runs and
    the others are skipped, so the task that joins them never starts.
    Instead: add `run_if: none_failed_min_one_succeeded`.
    """
    chosen_by = _arms_by_task(case)
    needed: dict[str, Mapping[str, frozenset[str]]] = {}
    for name in topological_order(case.draft.predecessors):
        task = case.by_name[name]
        above = case.draft.predecessors[name]
        own = chosen_by.get(name, {})
        parents = [needed.get(parent, {}) for parent in above]
        if task.node.run_if in (None, "all_succeeded", "none_skipped") and not decides_on_predecessors(
            task.node.when
        ):
            result = _all_of([*parents, own])
        else:
            result = _all_of([own])
        clash = next((branch for branch, outcomes in result.items() if not outcomes), None)
        if clash is None:
            needed[name] = result
            continue
        needed[name] = {branch: outcomes for branch, outcomes in result.items() if outcomes}
        arms = [parent for parent in above if clash in needed.get(parent, {}) or parent == clash]
        branch = case.by_name[clash]
        yield error(
            "SF312",
            f"task `{name}` joins arms of `{clash}` that never run together",
            task.place("after"),
            label=f"{listed(arms)} {'exclude each other' if len(arms) > 1 else 'is not on the same arm'}",
            labels=(Label(branch.place("outcomes").span, "the branch"),),
            why="Snowflake starts a task when all its predecessors succeeded; the arm that is not chosen is skipped",
            help="add `run_if: none_failed_min_one_succeeded`",
        )


def never_all(case: Case) -> Iterator[Diagnostic]:
    """SF351: `run_if` asks for states that predecessors never have together.

    What: `all_skipped` needs predecessors that can be skipped, and an outcome that starts none of them; `all_failed`
    needs predecessors that run together.
    Why: only arms of a branch and tasks with `when` or `run_if` are ever skipped, one arm of a branch always runs, and
    arms that exclude each other never fail together. So the task would never run.
    Instead: write `none_failed` to run whatever was chosen, or `at_least_one_failed` to run after a failure.
    """
    arms = _arms_by_task(case)
    for task in case.draft.tasks:
        above = case.draft.predecessors[task.name]
        if not above or task.node.run_if not in ("all_skipped", "all_failed"):
            continue
        is_skipped = task.node.run_if == "all_skipped"
        problem = _never_skipped(case, above, arms) if is_skipped else _exclusive(above, arms)
        if problem is not None:
            message = f"task `{task.name}` never runs: {problem}"
            help = f"write `run_if: {'none_failed' if is_skipped else 'at_least_one_failed'}`"
            yield warning("SF351", message, task.place("run_if"), help=help)


_Arms = Mapping[str, Mapping[str, frozenset[str]]]


def _never_skipped(case: Case, above: tuple[str, ...], arms: _Arms) -> str | None:
    """Why these tasks are never all skipped."""
    nodes = {name: case.by_name[name].node for name in above}
    certain = [
        name for name in above if name not in arms and not nodes[name].when and nodes[name].run_if is None
    ]
    if certain:
        return f"{listed(certain[:1])} is never skipped"
    started: dict[str, set[str]] = {}
    for name in above:
        if not nodes[name].when:
            for branch, outcomes in arms.get(name, {}).items():
                started.setdefault(branch, set()).update(outcomes)
    for branch, chosen in started.items():
        if chosen >= {*(case.by_name[branch].outcomes or {})}:
            return f"every outcome of `{branch}` starts one of {listed(above)}"
    return None


def _exclusive(above: tuple[str, ...], arms: _Arms) -> str | None:
    """Why these tasks never all run."""
    needs = [arms.get(name, {}) for name in above]
    clash = next((branch for branch, outcomes in _all_of([*needs]).items() if not outcomes), None)
    return None if clash is None else f"arms of `{clash}` exclude each other"


def _arms_by_task(case: Case) -> dict[str, dict[str, frozenset[str]]]:
    """Task → branch → the outcomes that start the task."""
    arms: dict[str, dict[str, frozenset[str]]] = {}
    for task in case.draft.tasks:
        for outcome, refs in (task.outcomes or {}).items():
            for ref in refs:
                branch = arms.setdefault(ref.name, {})
                branch[task.name] = branch.get(task.name, frozenset()) | {outcome}
    return arms


def _all_of(needs: list[Mapping[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    """Branch → the outcomes that all of the needs allow."""
    result: dict[str, frozenset[str]] = {}
    for need in needs:
        for branch, outcomes in need.items():
            result[branch] = result[branch] & outcomes if branch in result else outcomes
    return result


def two_branch_parents(case: Case) -> Iterator[Diagnostic]:
    """SF313: a task is an arm of two branches.

    What: a task is started by the outcomes of at most one branch.
    Why: Snowflake joins the conditions with AND, so the task would run only when both branches choose it.
    Instead: put a task between one of the branches and it, or decide in one branch.
    """
    for name, branches in _arms_by_task(case).items():
        task = case.task(name)
        if len(branches) < 2 or task is None or name not in case.known:
            continue
        first, second = list(branches)[:2]
        second_branch, first_branch = case.by_name[second], case.by_name[first]
        place = next(ref.place for ref in second_branch.arms if ref.name == name)
        at = next(ref.place.span for ref in first_branch.arms if ref.name == name)
        yield error(
            "SF313",
            f"task `{name}` is an arm of both `{first}` and `{second}`",
            place,
            labels=(Label(at, f"started by `{first}` here"),),
            why="Snowflake joins the conditions with AND: it would run only when both choose it",
            help="put a task between one of them and it, or decide in one branch",
        )


def misplaced_run_if(case: Case) -> Iterator[Diagnostic]:
    """SF315: a task without predecessors has `run_if`.

    What: `run_if` is a condition on the states of predecessors.
    Why: a task without `after` runs after the generated root, which always succeeds. So the condition is always true,
    or never.
    Instead: remove it, or add `after`.
    """
    for task in case.draft.tasks:
        if task.node.run_if is not None and not case.draft.predecessors[task.name] and not task.after:
            message = f"task `{task.name}` has `run_if` but no predecessors"
            yield error("SF315", message, task.place("run_if"), help="take it out, or add `after`")


def conditions_beside_branches(case: Case) -> Iterator[Diagnostic]:
    """SF318: `or` in the condition of a task that a branch starts.

    What: `sfml` puts `when` in parentheses and joins it to the condition of the branch with AND.
    Why: a reader of `a or b` may think that the task can run although the branch did not choose it.
    Instead: put the whole condition in parentheses.
    """
    arms = _arms_by_task(case)
    for task in case.draft.tasks:
        when = task.node.when
        if when and task.name in arms and _has_bare_or(when):
            message = f"`when` of `{task.name}` holds a bare `or` beside a branch's condition"
            help = "put it in parentheses: `(… or …)`"
            yield warning("SF318", message, task.place("when"), help=help)


def _has_bare_or(condition: str) -> bool:
    depth, quoted, bare = 0, False, ""
    for char in condition:
        if char == "'":
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
            if depth == 0:
                bare += char
                continue
        bare += " "
    return re.search(r"\bor\b", bare, re.IGNORECASE) is not None
