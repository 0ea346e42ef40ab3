"""What pipelines of one target cost a month: by pipeline and task, by warehouse and compute pool, and serverless.

A year is simulated and divided by twelve. What several runs need at the same time is up once, as an account has it; a
pipeline's own figure is what it costs alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from sfml.base.quoting import folded, raw
from sfml.base.record import record
from sfml.cost.amount import NOTHING, Amount, exactly, total
from sfml.cost.assumptions import assumptions_of, unknowns_of
from sfml.cost.firings import MONTHS, START, YEAR, Firings, firings_of
from sfml.cost.rates import (
    POOL_AUTO_SUSPEND,
    WAREHOUSE_AUTO_SUSPEND,
    pool_rate,
    serverless_rate,
    warehouse_rate,
)
from sfml.cost.run_use import Machine, MachineKey, MachineUse, RunUse, run_use
from sfml.cost.uptime import Need, uptime
from sfml.graph.alert_events import with_alerts
from sfml.graph.expectations import PoolSize, Size, WarehouseSize
from sfml.graph.model import CronSchedule, OnPool, OnWarehouse, Serverless, TaskGraph, TaskNode
from sfml.graph.needs import Kind, needs_of

HOUR = 3600

_LOCAL = "a local target uses no credits: name another one with --target"

_Length: TypeAlias = Callable[[MachineUse], "float | None"]


@record
class TaskCost:
    """A task: where it runs, how often a month, how long each time in seconds, and the credits of just that time."""

    name: str
    where: str
    runs: Amount
    seconds: Amount
    credits: Amount


@record
class PipelineCost:
    """A pipeline by itself: its runs a month, and the credits it uses where no other pipeline shares anything."""

    name: str
    spec_path: str
    runs: Amount
    credits: Amount
    tasks: tuple[TaskCost, ...]
    budget: float | None


@record
class MachineCost:
    """A warehouse or compute pool: its size in words, the hours a month that it is up and at work, and its credits."""

    name: str
    is_pool: bool
    size: str | None
    hours: Amount
    busy_hours: Amount
    credits: Amount


@record
class Estimate:
    """What the pipelines of a target cost a month, what that rests on, and what would have to be known."""

    target: str
    credits: Amount
    pipelines: tuple[PipelineCost, ...]
    machines: tuple[MachineCost, ...]
    serverless: Amount
    assumptions: tuple[str, ...]
    unknowns: tuple[str, ...]


@record
class _Part:
    """A pipeline with what a run of it needs, and when its runs begin."""

    graph: TaskGraph
    use: RunUse
    firings: Firings


def estimate(graphs: Sequence[TaskGraph]) -> Estimate:
    """What the pipelines cost, all of one target; a local target costs nothing."""
    graphs = tuple(map(with_alerts, graphs))
    target = graphs[0].target
    if target.is_local:
        pipelines = tuple(_free(graph) for graph in graphs)
        return Estimate(target.name, NOTHING, pipelines, (), NOTHING, (_LOCAL,), ())
    sizes = sizes_of(graphs)
    machines = _machines(graphs, sizes)
    parts = [_part(graph, machines) for graph in graphs]
    together = {
        key: _machine_cost(machine, sizes.get(machine.name), parts) for key, machine in machines.items()
    }
    used = tuple(machine for machine in together.values() if not machine.hours.is_nothing)
    shared = _shared(parts)
    alone = {key: cost for key, cost in together.items() if key not in shared}
    serverless = total(_serverless(part) for part in parts)
    return Estimate(
        target=target.name,
        credits=total(machine.credits for machine in used) + serverless,
        pipelines=tuple(_pipeline(part, machines, sizes, alone) for part in parts),
        machines=used,
        serverless=serverless,
        assumptions=(
            *_not_this_year(parts),
            *assumptions_of(graphs, sizes, [machine.name for machine in used]),
        ),
        unknowns=unknowns_of(graphs, sizes, [(machine.name, machine.is_pool) for machine in used]),
    )


def _free(graph: TaskGraph) -> PipelineCost:
    """A pipeline that runs on this machine."""
    runs = firings_of(graph.settings, NOTHING).per_month
    return PipelineCost(graph.pipeline, graph.spec_path, runs, NOTHING, (), _budget(graph))


def _budget(graph: TaskGraph) -> float | None:
    return graph.budget.credits_per_month if graph.budget is not None else None


def _not_this_year(parts: Iterable[_Part]) -> Iterator[str]:
    """A word on each schedule that fires in other years only."""
    for part in parts:
        if isinstance(part.graph.settings.schedule, CronSchedule) and not part.firings.most:
            yield f"`{part.graph.pipeline}` does not run in {START.year}, the year that is simulated"


def _part(graph: TaskGraph, machines: Mapping[MachineKey, Machine]) -> _Part:
    named = {(need.kind is Kind.POOL, need.name) for need in needs_of(graph)}
    use = run_use(graph, {key: machine for key, machine in machines.items() if key in named})
    return _Part(graph, use, firings_of(graph.settings, use.takes))


def sizes_of(graphs: Sequence[TaskGraph]) -> dict[str, Size]:
    """The sizes that the target says; of its own compute pool, else what `apply --create-missing` makes."""
    target = graphs[0].target
    sizes: dict[str, Size] = {}
    new = target.new_pool
    if new is not None and target.compute_pool is not None:
        most = new.max_nodes or max([new.min_nodes, *_instances(graphs, target.compute_pool)])
        sizes[folded(target.compute_pool)] = PoolSize(
            folded(target.compute_pool), new.instance_family.upper(), new.min_nodes, most, new.auto_suspend
        )
    return {**sizes, **graphs[0].sizes}


def _instances(graphs: Iterable[TaskGraph], pool: str) -> list[int]:
    computes = (node.run_on for graph in graphs for node in graph.all_tasks)
    return [
        compute.instances
        for compute in computes
        if isinstance(compute, OnPool) and folded(compute.pool) == folded(pool)
    ]


def _machines(graphs: Sequence[TaskGraph], sizes: Mapping[str, Size]) -> dict[MachineKey, Machine]:
    """Every warehouse and compute pool that the pipelines name: warehouses first, by name."""
    kinds = (Kind.WAREHOUSE, Kind.POOL)
    named = {(need.kind, need.name) for graph in graphs for need in needs_of(graph) if need.kind in kinds}
    every = (_machine(kind, name, sizes.get(name)) for kind, name in named)
    return {machine.key: machine for machine in sorted(every, key=lambda machine: machine.key)}


def _machine(kind: Kind, name: str, size: Size | None) -> Machine:
    is_pool = kind is Kind.POOL
    default = POOL_AUTO_SUSPEND if is_pool else WAREHOUSE_AUTO_SUSPEND
    idle = size.auto_suspend if size is not None and size.auto_suspend is not None else default
    return Machine(name, is_pool, idle, size.min_nodes if isinstance(size, PoolSize) else 1)


# -- a machine that pipelines share -----------------------------------------------------------------


def _machine_cost(machine: Machine, size: Size | None, parts: Sequence[_Part]) -> MachineCost:
    uses = [
        (part.firings, part.use.machines[machine.key]) for part in parts if machine.key in part.use.machines
    ]
    up = _up(uses)
    busy = total(_work(firings, use.busy) for firings, use in uses)
    if machine.is_pool:
        pool = size if isinstance(size, PoolSize) else None
        nodes, rate, words = _node_seconds(machine, pool, uses, up), pool_rate(pool), _pool_words(pool)
    else:
        warehouse = size if isinstance(size, WarehouseSize) else None
        nodes, rate, words = up, warehouse_rate(warehouse), _warehouse_words(warehouse)
    return MachineCost(
        machine.name, machine.is_pool, words, _monthly(up), _monthly(busy), _monthly(nodes).times(rate)
    )


def _up(uses: Sequence[tuple[Firings, MachineUse]]) -> Amount:
    """The seconds of the year that a machine is up for runs that begin at those times."""
    low = uptime(Need(firings.fewest, use.up.low) for firings, use in uses)
    high = _most(uses, lambda use: use.up.high)
    return Amount(low if high is None else min(low, high), high)


def _most(uses: Sequence[tuple[Firings, MachineUse]], length: _Length) -> float | None:
    needs = []
    for firings, use in uses:
        seconds = length(use)
        if seconds == 0 or (firings.most is not None and not firings.most):
            continue
        if seconds is None or firings.most is None:
            return None
        needs.append(Need(firings.most, seconds))
    return uptime(needs)


def _node_seconds(
    machine: Machine, pool: PoolSize | None, uses: Sequence[tuple[Firings, MachineUse]], up: Amount
) -> Amount:
    """The seconds of the year of all nodes of a pool: those that it keeps while it is up, and those for its jobs.

    Where runs are at work at the same time, each may need nodes of its own; never more than the pool has.
    """
    work = total(_work(firings, use.work) for firings, use in uses)
    extra = total(_work(firings, use.extra) for firings, use in uses)
    busy = total(_work(firings, use.busy) for firings, use in uses)
    once = _most(uses, lambda use: use.busy.high)
    low = max(machine.min_nodes * up.low, work.low)
    if up.high is None or extra.high is None or busy.high is None or once is None:
        return Amount(low, None)
    overlapping = max(busy.high - once, 0.0)
    high = machine.min_nodes * (up.high + overlapping) + extra.high
    if pool is not None:
        high = min(high, float(pool.max_nodes * YEAR))
    return Amount(min(low, high), high)


def _work(firings: Firings, seconds: Amount) -> Amount:
    """The seconds of the year of something that each run does."""
    most = None if firings.most is None else float(len(firings.most))
    return Amount(float(len(firings.fewest)), most).times(seconds)


def _monthly(seconds: Amount) -> Amount:
    """Hours a month of seconds a year."""
    return seconds.times(exactly(1 / (MONTHS * HOUR)))


def _warehouse_words(size: WarehouseSize | None) -> str | None:
    return None if size is None or size.size is None else f"{size.size}, generation {size.generation or 1}"


def _pool_words(size: PoolSize | None) -> str | None:
    if size is None:
        return None
    count = (
        f"{size.min_nodes}" if size.min_nodes == size.max_nodes else f"{size.min_nodes} to {size.max_nodes}"
    )
    return f"{size.family}, {count} node{'' if count == '1' else 's'}"


# -- a pipeline by itself ---------------------------------------------------------------------------


def _shared(parts: Iterable[_Part]) -> set[MachineKey]:
    """The machines that several pipelines use."""
    users = Counter(key for part in parts for key in part.use.machines)
    return {key for key, count in users.items() if count > 1}


def _pipeline(
    part: _Part,
    machines: Mapping[MachineKey, Machine],
    sizes: Mapping[str, Size],
    alone: Mapping[MachineKey, MachineCost],
) -> PipelineCost:
    """`alone` are the costs of machines that only one pipeline uses."""
    own = (
        alone.get(key) or _machine_cost(machines[key], sizes.get(key[1]), [part]) for key in part.use.machines
    )
    graph = part.graph
    return PipelineCost(
        name=graph.pipeline,
        spec_path=graph.spec_path,
        runs=part.firings.per_month,
        credits=total(machine.credits for machine in own) + _serverless(part),
        tasks=tuple(_task(part, node, machines, sizes) for node in graph.all_tasks),
        budget=_budget(graph),
    )


def _task(
    part: _Part, node: TaskNode, machines: Mapping[MachineKey, Machine], sizes: Mapping[str, Size]
) -> TaskCost:
    seconds = part.use.tasks[node.name]
    rate, where = _rate(node, sizes)
    hours = _hours_of(part, node)
    return TaskCost(node.name, where, part.firings.per_month, seconds, hours.times(rate))


def _rate(node: TaskNode, sizes: Mapping[str, Size]) -> tuple[Amount, str]:
    """Credits an hour of a task's own work, and where it runs in words."""
    match node.run_on:
        case OnWarehouse(warehouse):
            size = sizes.get(folded(warehouse))
            rate = warehouse_rate(size if isinstance(size, WarehouseSize) else None)
            return rate, f"warehouse {raw(folded(warehouse))}"
        case OnPool(pool=pool, instances=instances, min_instances=least):
            size = sizes.get(folded(pool))
            nodes = Amount(float(least or instances), float(instances))
            return pool_rate(size if isinstance(size, PoolSize) else None).times(
                nodes
            ), f"pool {raw(folded(pool))}"
        case Serverless(min=smallest, max=largest):
            return serverless_rate(smallest, largest), "serverless"


def _serverless(part: _Part) -> Amount:
    nodes = (node for node in part.graph.all_tasks if isinstance(node.run_on, Serverless))
    return total(_hours_of(part, node).times(_rate(node, {})[0]) for node in nodes)


def _hours_of(part: _Part, node: TaskNode) -> Amount:
    """The hours a month in which a task works."""
    seconds = _work(part.firings, part.use.tasks[node.name])
    if part.firings.one_at_a_time and seconds.high is not None:
        seconds = Amount(min(seconds.low, YEAR), min(seconds.high, YEAR))
    return _monthly(seconds)
