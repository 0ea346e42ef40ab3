"""What an estimate rests on, and what it would have to know, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sfml.base.quoting import folded, raw
from sfml.cost.rates import POOL_AUTO_SUSPEND, WAREHOUSE_AUTO_SUSPEND
from sfml.graph.durations import in_words
from sfml.graph.expectations import PoolSize, Size, WarehouseSize
from sfml.graph.model import Manual, Mode, OnPool, Serverless, StreamSchedule, TaskGraph
from sfml.semantics.limits import POOL_FAMILIES

_NAMED = 5


def unknowns_of(
    graphs: Sequence[TaskGraph], sizes: Mapping[str, Size], machines: Sequence[tuple[str, bool]]
) -> tuple[str, ...]:
    """What keeps a part of the estimate from having an upper bound, each with what would tell it."""
    return (*_sizes_not_said(graphs, sizes, machines), *_of_pipelines(graphs))


def _sizes_not_said(
    graphs: Sequence[TaskGraph], sizes: Mapping[str, Size], machines: Sequence[tuple[str, bool]]
) -> Iterator[str]:
    where = f"in `sizes` of target `{graphs[0].target.name}` in sfml.yaml"
    for name, is_pool in machines:
        size = sizes.get(name)
        if is_pool and not isinstance(size, PoolSize):
            pool = raw(name)
            yield f"the instance family of pool `{pool}`: write `{pool}: {{family: …, nodes: 1}}` {where}"
        elif is_pool and isinstance(size, PoolSize) and size.family not in POOL_FAMILIES:
            yield f"the rate of instance family `{size.family}`: the table does not have it"
        elif not is_pool and not isinstance(size, WarehouseSize):
            yield f"the size of warehouse `{raw(name)}`: write `{raw(name)}: {{size: …}}` {where}"


def _of_pipelines(graphs: Sequence[TaskGraph]) -> Iterator[str]:
    for graph in graphs:
        settings = graph.settings
        if isinstance(settings.schedule, Manual) and settings.expected_runs is None:
            continue
        yield from unknown_runs(graph)
        yield from unknown_durations(graph)
        unbound = [
            node.name
            for node in graph.all_tasks
            if isinstance(node.run_on, Serverless) and node.run_on.max is None
        ]
        if unbound:
            yield f"the size that Snowflake gives {_listed(unbound)} in `{graph.pipeline}`: give `serverless` a `max`"


def unknown_runs(graph: TaskGraph) -> Iterator[str]:
    """How often streams start a pipeline, if nothing says it."""
    settings = graph.settings
    if isinstance(settings.schedule, StreamSchedule) and settings.expected_runs is None:
        yield (
            f"how often streams start `{graph.pipeline}`:"
            " write `expect: {runs: 20..200 a day}` in its schedule config"
        )


def unknown_durations(graph: TaskGraph) -> Iterator[str]:
    """The tasks of a pipeline of which nothing says how long they take."""
    unsaid = [node.name for node in graph.all_tasks if node.expect is None or node.expect.takes is None]
    if unsaid:
        what = "the duration" if len(unsaid) == 1 else "the durations"
        yield f"{what} of {_listed(unsaid)} in `{graph.pipeline}`: write `expect: {{takes: 10m..20m}}`"


def unknown_nodes(graph: TaskGraph, sizes: Mapping[str, Size]) -> Iterator[str]:
    """The compute pools of a pipeline of which nothing says how many nodes they have for its jobs."""
    if graph.target.is_local:
        return
    pools = {folded(node.run_on.pool) for node in graph.all_tasks if isinstance(node.run_on, OnPool)}
    for name in sorted(pools):
        if not isinstance(sizes.get(name), PoolSize):
            yield (
                f"whether jobs of `{graph.pipeline}` wait for pool `{raw(name)}`: write"
                f" `{raw(name)}: {{family: …, nodes: 1}}` in `sizes` of target `{graph.target.name}` in sfml.yaml"
            )


def _listed(names: Sequence[str]) -> str:
    words = [f"`{name}`" for name in names[:_NAMED]]
    if len(names) > _NAMED:
        words.append(f"{len(names) - _NAMED} more")
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def assumptions_of(
    graphs: Sequence[TaskGraph], sizes: Mapping[str, Size], machines: Sequence[str]
) -> tuple[str, ...]:
    """What holds for the numbers, the most particular first."""
    return (*_of_sizes(sizes, machines), *_of_runs(graphs), *_ALWAYS)


def _of_sizes(sizes: Mapping[str, Size], machines: Sequence[str]) -> Iterator[str]:
    for name in machines:
        size = sizes.get(name)
        if isinstance(size, WarehouseSize) and size.generation is None:
            yield f"warehouse `{raw(name)}` is of generation 1"
        if size is not None and size.auto_suspend is None:
            default = POOL_AUTO_SUSPEND if isinstance(size, PoolSize) else WAREHOUSE_AUTO_SUSPEND
            yield f"`{raw(name)}` is suspended after {in_words(default)} idle, Snowflake's default"


def _of_runs(graphs: Sequence[TaskGraph]) -> Iterator[str]:
    for graph in graphs:
        settings = graph.settings
        if isinstance(settings.schedule, Manual) and settings.expected_runs is None:
            yield f"`{graph.pipeline}` is never run by hand; `expect: {{runs: …}}` of the schedule says how often"
        if settings.expected_runs is not None and isinstance(settings.schedule, StreamSchedule | Manual):
            yield f"the runs of `{graph.pipeline}` are spread evenly"
        if settings.retries and not any(node.expect and node.expect.fails for node in graph.all_tasks):
            yield f"no task of `{graph.pipeline}` fails; `expect: {{fails: 0.05}}` on tasks counts retries"
        if any(isinstance(node.run_on, OnPool) for node in graph.all_tasks):
            yield f"queries of jobs of `{graph.pipeline}` keep their warehouse up for none to all of the job's time"
    if graphs[0].target.mode is Mode.DEVELOPMENT:
        yield "schedules are on, although this target deploys them suspended"


_ALWAYS = (
    "a branch takes the cheapest arm at the low end and the dearest at the high end, for each part by itself",
    "each run needs its warehouses and pools from its beginning, without the pauses in between that suspend them",
    "warehouses have one cluster, and their tasks take as long when they share one",
    "cloud services stay within the tenth of each day's warehouse credits that is free",
    "storage, data transfer and what other work does on the same warehouses and pools are not counted",
)
