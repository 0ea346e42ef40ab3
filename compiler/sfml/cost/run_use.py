"""What one run of a pipeline uses: seconds of each task, and how long each warehouse and compute pool is needed.

The low end is a bound that no order of events goes below, the high end one that none goes above: what follows one
another on a warehouse is added up, and what may run at the same time is together at the low end, and one after the
other at the high end as far as the run's length allows. Both ends grow with every duration.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from sfml.base.quoting import folded
from sfml.base.record import record
from sfml.cost.amount import UNKNOWN, Amount
from sfml.cost.rates import NODE_MINIMUM, WAREHOUSE_MINIMUM
from sfml.graph.model import OnPool, OnWarehouse, Serverless, TaskGraph, TaskNode
from sfml.semantics.states import State
from sfml.ways.certain import certainty_of
from sfml.ways.shape import Behaviour
from sfml.ways.walks import walk

MOST_WAYS = 500
"""How many combinations of outcomes are walked; beyond them each task counts as one that may run or not."""

NO_TIME = Amount(0.0, 0.0)

MachineKey: TypeAlias = tuple[bool, str]


@record
class Machine:
    """A warehouse or compute pool as runs use it: the seconds that it idles, and that a start is charged at least."""

    name: str
    is_pool: bool
    idle: int
    min_nodes: int = 1

    @property
    def key(self) -> tuple[bool, str]:
        """What tells it from others: a pool and a warehouse may have the same name."""
        return self.is_pool, self.name

    @property
    def minimum(self) -> int:
        return NODE_MINIMUM if self.is_pool else WAREHOUSE_MINIMUM


@record
class MachineUse:
    """What a run needs of a machine: seconds up and seconds at work, and for a pool the seconds of its nodes.

    `extra` are those of nodes beyond the least that the pool keeps, `work` those in which jobs have them.
    """

    up: Amount
    busy: Amount
    work: Amount = NO_TIME
    extra: Amount = NO_TIME


@record
class RunUse:
    """What a run needs: how long it takes, the seconds of each task, and of each machine by its key."""

    takes: Amount
    tasks: Mapping[str, Amount]
    machines: Mapping[MachineKey, MachineUse]


def seconds_of(node: TaskNode, retries: int) -> Amount:
    """How long a run works on a task, with the retries that its rate of failures leads to."""
    expect = node.expect
    if expect is None or expect.takes is None:
        return UNKNOWN
    rate = expect.fails or 0.0
    attempts = sum(rate**attempt for attempt in range(retries + 1))
    return Amount(expect.takes.low * attempts, expect.takes.high * attempts)


def run_use(graph: TaskGraph, machines: Mapping[MachineKey, Machine]) -> RunUse:
    """What a run needs, over all ways through the graph: the least and the most of each part by itself."""
    seconds = {node.name: seconds_of(node, graph.settings.retries) for node in graph.all_tasks}
    ways = [_use_of_way(graph, machines, seconds, executed) for executed in _ways(graph)]
    return RunUse(
        takes=_either(way.takes for way in ways),
        tasks={name: _either(way.tasks[name] for way in ways) for name in seconds},
        machines={name: _either_use([way.machines[name] for way in ways]) for name in machines},
    )


def _ways(graph: TaskGraph) -> Sequence[frozenset[str]]:
    """The sets of tasks that run where none fails."""
    walked = walk(Behaviour(graph), failures=0, most=MOST_WAYS)
    if walked.left:
        fixed = certainty_of(graph).fixed
        everything = frozenset(node.name for node in graph.all_tasks)
        return (everything, frozenset(name for name in everything if fixed.get(name)))
    ended = (State.SUCCEEDED, State.FAILED)
    ways = {
        frozenset(name for name, state in way.states.items() if state in ended): None for way in walked.ways
    }
    return tuple(ways)


def _use_of_way(
    graph: TaskGraph,
    machines: Mapping[MachineKey, Machine],
    seconds: Mapping[str, Amount],
    executed: frozenset[str],
) -> RunUse:
    durations = {name: amount if name in executed else NO_TIME for name, amount in seconds.items()}
    order = _Order(graph, executed)
    low = {name: amount.low for name, amount in durations.items()}
    high = {name: amount.high for name, amount in durations.items()}
    longest = _longest(order, high)
    takes = Amount(_longest(order, low) or 0.0, longest)
    uses = {name: _machine_use(order, machine, low, high, longest) for name, machine in machines.items()}
    return RunUse(takes, durations, uses)


class _Order:
    """The tasks of one way in an order in which they may run, with what each of them follows."""

    def __init__(self, graph: TaskGraph, executed: frozenset[str]) -> None:
        self.graph = graph
        self.ran = executed
        self.nodes = graph.all_tasks
        followed = {name for node in graph.tasks for name in node.after}
        ends = tuple(node.name for node in graph.tasks if node.name not in followed)
        self.after = {node.name: ends if node.is_finalizer else node.after for node in self.nodes}

    def users(self, machine: Machine) -> Mapping[str, bool]:
        """The tasks that use a machine, and whether they certainly keep it at work while they run."""
        users = {}
        for node in self.nodes:
            sure = uses_machine(self.graph, node, machine)
            if node.name in self.ran and sure is not None:
                users[node.name] = sure
        return users


def uses_machine(graph: TaskGraph, node: TaskNode, machine: Machine) -> bool | None:
    """Whether a task uses a machine: True for all of its time, False for any part of it, None for none."""
    match node.run_on:
        case OnWarehouse(warehouse) if not machine.is_pool and folded(warehouse) == machine.name:
            return True
        case OnPool(pool=pool) if machine.is_pool and folded(pool) == machine.name:
            return True
        # The queries of a job run on a warehouse, for a part of its time that nobody knows.
        case OnPool(warehouse=warehouse) if (
            not machine.is_pool and folded(warehouse or graph.target.warehouse) == machine.name
        ):
            return False
        case _:
            return None


def _root_uses(graph: TaskGraph, machine: Machine) -> bool:
    root = graph.settings.run_on or OnWarehouse(graph.target.warehouse)
    return not isinstance(root, Serverless) and not machine.is_pool and folded(root.warehouse) == machine.name


def _machine_use(
    order: _Order,
    machine: Machine,
    low: Mapping[str, float],
    high: Mapping[str, float | None],
    longest: float | None,
) -> MachineUse:
    users = order.users(machine)
    sure = {name for name, certain in users.items() if certain}
    chain = _longest_chain(order, sure, low, machine.idle)
    least = max(chain + machine.idle, machine.minimum) if sure else 0.0
    busy = _sum(high[name] for name in users)
    most: float | None = 0.0
    if users or _root_uses(order.graph, machine):
        most = _most_up(order, machine, set(users), high, busy, longest)
    up = Amount(least, most)
    at_work = Amount(sum(low[name] for name in order.after if name in sure), busy)
    if not machine.is_pool:
        return MachineUse(up, at_work)
    return MachineUse(up, at_work, *_nodes(order, machine, users, low, high))


def _most_up(
    order: _Order,
    machine: Machine,
    users: set[str],
    high: Mapping[str, float | None],
    busy: float | None,
    longest: float | None,
) -> float | None:
    """The most that a machine is up: its work one after the other, and a pause wherever it may wait for others."""
    pauses = [_pause(gap, machine) for gap in _gaps(order, users, high)]
    if pauses and len(pauses) == len(users) and not _root_uses(order.graph, machine):
        pauses.remove(min(pauses))  # one of them comes first, and nothing idles before it
    added = None if busy is None else max(busy + machine.idle, machine.minimum) + sum(pauses)
    whole = None if longest is None else max(longest + machine.idle, machine.minimum)
    known = [bound for bound in (added, whole) if bound is not None]
    return min(known, default=None)


def _pause(gap: float | None, machine: Machine) -> float:
    """What a pause of a machine is charged: it idles, or is suspended and started again."""
    return gap if gap is not None and gap < machine.idle else float(max(machine.idle, machine.minimum))


def _gaps(order: _Order, users: set[str], high: Mapping[str, float | None]) -> Iterator[float | None]:
    """Before each use, how long at most the work elsewhere lasts that it waits for; nothing where it waits for none."""
    elsewhere: dict[str, float | None] = {}
    for node in order.nodes:
        before = [0.0 if name in users else elsewhere[name] for name in order.after[node.name]]
        waits = None if None in before else max((end for end in before if end is not None), default=0.0)
        if node.name in users:
            if waits != 0:
                yield waits
            elsewhere[node.name] = 0.0
        else:
            own = high[node.name]
            elsewhere[node.name] = None if waits is None or own is None else waits + own


def _longest(order: _Order, seconds: Mapping[str, float | None]) -> float | None:
    """How long the tasks take that follow one another longest; None where one of all is unknown."""
    if any(seconds[node.name] is None for node in order.nodes):
        return None
    ends: dict[str, float] = {}
    for node in order.nodes:
        own = seconds[node.name]
        assert own is not None
        ends[node.name] = own + max((ends[name] for name in order.after[node.name]), default=0.0)
    return max(ends.values(), default=0.0)


def _longest_chain(order: _Order, users: set[str], low: Mapping[str, float], idle: int) -> float:
    """How long a machine is up at least until the last of its tasks ends: a chain of them, and the pauses between.

    A pause counts up to the time after which the machine is suspended.
    """
    up: dict[str, float] = {}
    waits: dict[str, dict[str, float]] = {}
    for node in order.nodes:
        name, after = node.name, order.after[node.name]
        behind: dict[str, float] = {}
        for other in after:
            pairs = {other: 0.0} if other in users else waits[other]
            for user, gap in pairs.items():
                behind[user] = max(behind.get(user, 0.0), gap)
        if name in users:
            reached = (up[user] + min(gap, idle) for user, gap in behind.items())
            up[name] = low[name] + max(reached, default=0.0)
        else:
            waits[name] = {user: gap + low[name] for user, gap in behind.items()}
    return max(up.values(), default=0.0)


def _nodes(
    order: _Order,
    machine: Machine,
    users: Iterable[str],
    low: Mapping[str, float],
    high: Mapping[str, float | None],
) -> tuple[Amount, Amount]:
    """The seconds of nodes that jobs have at least and at most, and those beyond the nodes that the pool keeps."""
    names = list(users)
    nodes = {node.name: node.run_on for node in order.nodes}
    work_low, work_high, extra = 0.0, [], []
    follow_one_another = _follow_one_another(order, names)
    for name in names:
        run_on = nodes[name]
        assert isinstance(run_on, OnPool)
        own = high[name]
        work_low += (run_on.min_instances or run_on.instances) * low[name]
        work_high.append(None if own is None else run_on.instances * own)
        # Jobs that may run at the same time may each need nodes of their own.
        beyond = run_on.instances - (machine.min_nodes if follow_one_another else 0)
        charged = None if own is None else max(own, NODE_MINIMUM) + machine.idle
        extra.append(0.0 if beyond <= 0 else None if charged is None else beyond * charged)
    return Amount(work_low, _sum(work_high)), Amount(0.0, _sum(extra))


def _follow_one_another(order: _Order, names: list[str]) -> bool:
    """Whether each of the tasks waits for the one before it."""
    return all(
        before in order.graph.ancestors(name) or order.graph.task(name).is_finalizer
        for before, name in itertools.pairwise(names)
    )


def _sum(numbers: Iterable[float | None]) -> float | None:
    known = list(numbers)
    return None if None in known else sum(number for number in known if number is not None)


def _either(amounts: Iterable[Amount]) -> Amount:
    """The least and the most of what it is on one way or another."""
    each = list(amounts)
    highs = [amount.high for amount in each]
    high = None if None in highs else max((end for end in highs if end is not None), default=0.0)
    return Amount(min((amount.low for amount in each), default=0.0), high)


def _either_use(uses: Sequence[MachineUse]) -> MachineUse:
    return MachineUse(
        _either(use.up for use in uses),
        _either(use.busy for use in uses),
        _either(use.work for use in uses),
        _either(use.extra for use in uses),
    )
