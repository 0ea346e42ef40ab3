"""SF52x: expected durations, sizes and runs that contradict other settings of the spec."""

from __future__ import annotations

from collections.abc import Iterator

from sfml.base.diagnostic import Diagnostic, Label
from sfml.base.quoting import folded
from sfml.check.case import Case, error, warning
from sfml.graph.durations import in_words
from sfml.graph.expectations import PoolSize
from sfml.graph.model import CronSchedule, IntervalSchedule, OnPool
from sfml.semantics.limits import DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS


def more_nodes_than_the_pool(case: Case) -> Iterator[Diagnostic]:
    """SF525: an ML Job waits for more nodes than its compute pool has.

    What: a job waits for at most as many instances as its pool has `nodes` in `sizes`.
    Why: the job would never start.
    Instead: raise `nodes` in `sizes` if the pool is larger, or lower `instances` or `min_instances`.
    """
    for task in case.tasks:
        run_on = task.node.run_on
        pool = case.draft.sizes.get(folded(run_on.pool)) if isinstance(run_on, OnPool) else None
        if not isinstance(run_on, OnPool) or not isinstance(pool, PoolSize):
            continue
        waits = run_on.min_instances or run_on.instances
        if waits > pool.max_nodes:
            message = f"task `{task.name}` waits for {waits} nodes of a pool of at most {pool.max_nodes}"
            place = task.place(
                "run_on.min_instances" if run_on.min_instances else "run_on.instances", "run_on"
            )
            labels = (Label(pool.place.span, "the pool"),) if pool.place else ()
            yield error("SF525", message, place, labels=labels, help="lower it, or raise `nodes` of the pool")


def longer_than_allowed(case: Case) -> Iterator[Diagnostic]:
    """SF538: a task is expected to take longer than its timeout lets it.

    What: the shortest time of `expect: {takes: …}` is at most the `timeout` of the task, 1 hour by default.
    Why: Snowflake would end the task before it can succeed, and costs are computed with a time that it never takes.
    Instead: raise `timeout`, or correct `expect`.
    """
    for task in case.tasks:
        expect, timeout = task.node.expect, task.node.timeout
        limit = DEFAULT_TIMEOUT_MS // 1000 if timeout is None else timeout or MAX_TIMEOUT_MS // 1000
        if expect is not None and expect.takes is not None and expect.takes.low > limit:
            least = in_words(round(expect.takes.low))
            message = (
                f"task `{task.name}` is expected to take {least} or more, and ended after {in_words(limit)}"
            )
            place = task.place("expect.takes", "expect")
            yield warning(
                "SF538", message, place, help=f"set `timeout` to more than `{least}`, or correct `takes`"
            )


def runs_said_twice(case: Case) -> Iterator[Diagnostic]:
    """SF529: `expect.runs` beside a schedule, which says how often the graph runs.

    What: `expect: {runs: …}` is for graphs that are started by streams or by hand.
    Why: costs are computed from the schedule; the number in `expect.runs` is ignored, and misleads readers.
    Instead: remove it.
    """
    settings = case.draft.settings
    if settings.expected_runs is not None and isinstance(settings.schedule, CronSchedule | IntervalSchedule):
        places = case.draft.places
        place = places.get("schedule_config.expect.runs", places["schedule_config"])
        message = "`expect.runs` is ignored: the schedule says how often the graph runs"
        yield warning("SF529", message, place, help="take it out")
