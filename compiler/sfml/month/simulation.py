"""Simulating runs event by event: schedules, overlap, waiting for pools and warehouses, timeouts."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sfml.base.record import record
from sfml.month.work import RunWork, TaskWork
from sfml.semantics.overlap import RunStage, may_begin

MAX_TASKS = 200_000
"""How many tasks are simulated at most; the month is cut short where there are more."""

Kind: TypeAlias = Literal["end", "cut", "due"]
_ORDER: Mapping[Kind, int] = {"end": 0, "cut": 1, "due": 2}
"""What happens first at one moment: what ends makes room for what is due."""


@record
class Busy:
    """A task of the run with that number at work on a machine, or on none, from `start` to `end` in seconds."""

    pipeline: str
    run: int
    machine: str | None
    start: float
    end: float


@record
class Missed:
    """A run that was due while the run that began at `since` was going on."""

    pipeline: str
    due: float
    since: float


@record
class Waited:
    """A task of the run that began at `began`, which waited for a machine from `at` on."""

    pipeline: str
    began: float
    task: str
    machine: str
    at: float
    seconds: float


@record
class Cut:
    """A run that its timeout ended at `at`."""

    pipeline: str
    began: float
    at: float


@dataclass(slots=True)
class Log:
    """What happened; `began` counts the runs of each pipeline. `until` is where the simulation stopped."""

    busy: list[Busy] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    waits: list[Waited] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    began: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    due: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    until: float = 0.0


@dataclass(slots=True, eq=False)
class _Run:
    """A run that has begun: which of its tasks wait for how many others, and which are at work since when."""

    work: RunWork
    number: int
    began: float
    waiting: dict[str, int]
    followers: Mapping[str, tuple[TaskWork, ...]]
    at_work: dict[str, float] = field(default_factory=dict)
    queued: set[str] = field(default_factory=set)
    left: int = 0
    is_over: bool = False


class Simulation:
    """The events of the month in their order; everything is determined by the input."""

    def __init__(self, works: Mapping[str, RunWork], span: float) -> None:
        self.works = works
        self.span = span
        self.log = Log()
        self._events: list[tuple[float, int, int, Kind, object]] = []
        self._count = 0
        self._tasks = 0
        self._going_on: dict[str, list[_Run]] = defaultdict(list)
        self._taken: dict[str, int] = defaultdict(int)
        self._queues: dict[str, deque[tuple[_Run, TaskWork, float]]] = defaultdict(deque)
        self._capacity: dict[str, int] = {}
        for work in works.values():
            self._capacity |= work.capacity
        self._followers = {name: _followers(work) for name, work in works.items()}

    def run(self, due: Mapping[str, Sequence[float]]) -> Log:
        """Simulate the runs that are due at these seconds."""
        for pipeline, times in due.items():
            for at in times:
                self._push(at, "due", pipeline)
        self.log.until = self.span
        while self._events:
            at, _, _, kind, thing = heapq.heappop(self._events)
            if at >= self.span:
                break
            if self._tasks > MAX_TASKS:
                self.log.until = at
                break
            self._happens(at, kind, thing)
        self._finish()
        return self.log

    def _push(self, at: float, kind: Kind, thing: object) -> None:
        self._count += 1
        heapq.heappush(self._events, (at, _ORDER[kind], self._count, kind, thing))

    def _happens(self, at: float, kind: Kind, thing: object) -> None:
        match kind, thing:
            case "due", str(pipeline):
                self._due(at, pipeline)
            case "end", (_Run() as run, TaskWork() as task):
                if task.name in run.at_work:
                    self._end(at, run, task)
            case "cut", _Run() as run:
                if not run.is_over:
                    self._cut(at, run)

    def _due(self, at: float, pipeline: str) -> None:
        self.log.due[pipeline] += 1
        going_on = self._going_on[pipeline]
        # The root that sfml generates ends at once, so an unfinished run executes its children.
        if not may_begin(self.works[pipeline].overlap, [RunStage.CHILDREN] * len(going_on)):
            self.log.missed.append(Missed(pipeline, at, going_on[0].began))
            return
        work = self.works[pipeline]
        waiting = {task.name: len(task.after) for task in work.tasks}
        run = _Run(
            work, sum(self.log.began.values()), at, waiting, self._followers[pipeline], left=len(work.tasks)
        )
        going_on.append(run)
        self.log.began[pipeline] += 1
        self._push(at + work.timeout, "cut", run)
        for task in work.tasks:
            if not task.after:
                self._ready(at, run, task)
        if not work.tasks:
            self._over(run)

    def _ready(self, at: float, run: _Run, task: TaskWork) -> None:
        """Start a task, or let it wait behind those that wait already."""
        self._tasks += 1
        if self._has_room(task) and not self._queues[task.machine or ""]:
            self._start(at, run, task)
        else:
            run.queued.add(task.name)
            self._queues[task.machine or ""].append((run, task, at))

    def _has_room(self, task: TaskWork) -> bool:
        if task.machine is None or task.machine not in self._capacity:
            return True
        capacity = self._capacity[task.machine]
        # A job that wants more nodes than there are is an error of `validate`; here it takes all of them.
        return self._taken[task.machine] + min(task.places, capacity) <= capacity

    def _places(self, task: TaskWork) -> int:
        return min(task.places, self._capacity.get(task.machine or "", task.places))

    def _start(self, at: float, run: _Run, task: TaskWork) -> None:
        run.at_work[task.name] = at
        if task.machine is not None:
            self._taken[task.machine] += self._places(task)
        self._push(at + task.seconds, "end", (run, task))

    def _end(self, at: float, run: _Run, task: TaskWork) -> None:
        self._free(at, run, task)
        run.left -= 1
        for follower in run.followers.get(task.name, ()):
            run.waiting[follower.name] -= 1
            if not run.waiting[follower.name]:
                self._ready(at, run, follower)
        if not run.left:
            self._over(run)
        self._admit(at, task.machine)

    def _free(self, at: float, run: _Run, task: TaskWork) -> None:
        start = run.at_work.pop(task.name)
        if task.machine is not None:
            self._taken[task.machine] -= self._places(task)
        if at > start:
            self.log.busy.append(Busy(run.work.pipeline, run.number, task.machine, start, at))

    def _admit(self, at: float, machine: str | None) -> None:
        queue = self._queues[machine or ""]
        while queue:
            run, task, since = queue[0]
            if run.is_over or task.name not in run.queued:
                queue.popleft()
                continue
            if not self._has_room(task):
                return
            queue.popleft()
            run.queued.discard(task.name)
            if at > since:
                self.log.waits.append(
                    Waited(run.work.pipeline, run.began, task.name, machine or "", since, at - since)
                )
            self._start(at, run, task)

    def _cut(self, at: float, run: _Run) -> None:
        """End a run at its timeout: what is at work stops, what waits never runs."""
        self.log.cuts.append(Cut(run.work.pipeline, run.began, at))
        self._over(run)
        by_name = {task.name: task for task in run.work.tasks}
        machines = {by_name[name].machine for name in run.at_work}
        for name in tuple(run.at_work):
            self._free(at, run, by_name[name])
        for machine in sorted(machines, key=str):
            self._admit(at, machine)

    def _over(self, run: _Run) -> None:
        run.is_over = True
        self._going_on[run.work.pipeline].remove(run)

    def _finish(self) -> None:
        """Note what is still at work, up to the end of the month."""
        for runs in tuple(self._going_on.values()):
            for run in runs:
                by_name = {task.name: task for task in run.work.tasks}
                for name in tuple(run.at_work):
                    self._free(self.log.until, run, by_name[name])


def _followers(work: RunWork) -> Mapping[str, tuple[TaskWork, ...]]:
    followers: dict[str, list[TaskWork]] = defaultdict(list)
    for task in work.tasks:
        for name in task.after:
            followers[name].append(task)
    return {name: tuple(tasks) for name, tasks in followers.items()}


def overlaps(busy: Sequence[Busy]) -> Iterator[tuple[str, tuple[str, str], float, float]]:
    """Each stretch in which tasks of two runs are at work on one machine: machine, pipelines, start and end."""
    by_machine: dict[str, list[Busy]] = defaultdict(list)
    for one in busy:
        if one.machine is not None:
            by_machine[one.machine].append(one)
    for machine, stretches in sorted(by_machine.items()):
        active: list[Busy] = []
        for one in sorted(stretches, key=lambda stretch: (stretch.start, stretch.pipeline)):
            active = [other for other in active if other.end > one.start]
            for other in (other for other in active if other.run != one.run):
                first, second = sorted((other.pipeline, one.pipeline))
                yield machine, (first, second), one.start, min(one.end, other.end)
            active.append(one)
