"""Graphs as hypothesis makes them: every kind of task, every setting, every shape of a branch.

Strategies are made once: hypothesis validates each new one, which takes longer than drawing from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st
from made_graphs import TARGET, File, closure, config, result

from sfml.graph.model import (
    Body,
    CallBody,
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    JobBody,
    Manual,
    NotifyBody,
    OnPool,
    OnWarehouse,
    Reference,
    RunOn,
    Serverless,
    Source,
    SqlBody,
    StepBody,
    StreamSchedule,
    TaskGraph,
    TaskNode,
    Template,
    Value,
)
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower

SIZES = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE")
RUN_IF = ("all_done", "none_failed", "none_failed_min_one_succeeded", "all_succeeded")
CONFIG: Mapping[str, Any] = {"model": "A'B", "limit": 0.5, "rounds": 3, "dry": True}

# What has to be quoted somewhere on its way: SQL, JSON, comments, lines.
texts = st.text(alphabet="aB1 '\"\\\n;-/*${}()é", max_size=12)
filled = texts.filter(bool)
names = st.sampled_from(["WH", "ml_wh", '"My Wh"', "_w$1", "order"])
qualified = st.sampled_from(["TEAM", "gov.team", 'DB.gov."My Team"', '"a.b".c'])
scalars: st.SearchStrategy[str | int | float | bool] = st.one_of(
    texts, st.integers(-5, 10**6), st.booleans(), st.sampled_from([0.5, -1.25])
)
seconds = st.sampled_from([10, 59, 60, 90, 3600, 5400, 86400])
conditions = st.sampled_from(["1 = 1", "1=1 or 2=2", "SYSTEM$STREAM_HAS_DATA('S')", "not ('it''s' = 'b')"])


def mappings(
    keys: Iterable[str], values: st.SearchStrategy[Any], size: int = 2
) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(sorted(keys)), values, max_size=size)


def job_files(path: str) -> tuple[File, ...]:
    """Every job folder and import there is."""
    return (
        (File("train.py", b"print(1)"), File("lib/a.py", b"A = 1")) if "." not in path else (File(path, b""),)
    )


def lowered(graph: TaskGraph) -> DesiredGraph:
    return lower(graph, closure, "0.1.0", job_files=job_files)


def _serverless(sizes: tuple[int, ...], keep: tuple[bool, ...], completion: int | None) -> Serverless:
    low, middle, high = sorted(sizes)
    return Serverless(
        initial=SIZES[middle] if keep[0] else None,
        min=SIZES[low] if keep[1] else None,
        max=SIZES[high] if keep[2] else None,
        target_completion=completion,
    )


serverless = st.builds(
    _serverless,
    st.tuples(*[st.integers(0, 5)] * 3),
    st.tuples(*[st.booleans()] * 3),
    st.none() | seconds,
)


def values(above: tuple[str, ...]) -> st.SearchStrategy[Value]:
    """A value of `with:` or `args`, with references to tasks above."""
    return _values(above[:2], 2)


@cache
def _values(above: tuple[str, ...], depth: int) -> st.SearchStrategy[Value]:
    sources: list[Reference] = [config(key) for key in sorted(CONFIG)] + [
        Reference(Source.RUN, None, ("id",))
    ]
    sources += [result(name, *keys) for name in above for keys in ((), ("metrics", "r 2", 0))]
    reference = st.sampled_from(sources)
    kinds: list[st.SearchStrategy[Any]] = [st.one_of(st.none(), scalars), reference]
    kinds.append(st.tuples(filled, reference).map(lambda parts: Template(parts)))
    if depth:
        inner = _values(above, depth - 1)
        kinds.append(st.lists(inner, max_size=2).map(tuple))
        kinds.append(st.dictionaries(st.sampled_from(["a", "$config", "k'ey"]), inner, max_size=2))
    return st.one_of(kinds)


jobs = st.builds(JobBody, st.just("jobs/fit"), st.just("train.py"), st.lists(scalars, max_size=2).map(tuple))
notifications = st.builds(
    NotifyBody,
    integration=names,
    message=st.one_of(texts, st.builds(lambda text: Template((text, config("model"))), filled)),
    email=st.lists(st.just("o'b@example.com"), max_size=2).map(tuple),
    subject=st.none() | texts,
    cc=st.lists(st.just("c@example.com"), max_size=1).map(tuple),
    type=st.sampled_from([None, "webhook", "queue", "email"]),
    format=st.sampled_from(["text", "html", "json"]),
)
statements = st.builds(
    SqlBody,
    st.sampled_from(
        [
            "select 1",
            "-- it's first\nselect ';' -- it's; done",
            "begin\n  let x := case when true then 1 end;\n  select 2;\nend",
            "declare n int;\nbegin\n  return n;\nend",
            "call system$set_return_value('A')",
            "insert into t select $$ ; '$$",
        ]
    ),
)


def bodies(above: tuple[str, ...], *, on_pool: bool) -> st.SearchStrategy[Body]:
    return _bodies(above[:2], on_pool)


@cache
def _bodies(above: tuple[str, ...], on_pool: bool) -> st.SearchStrategy[Body]:
    value = values(above)
    step = st.builds(
        StepBody,
        st.sampled_from(["clv.train.fit", "clv.gate.check", "shop.score"]),
        st.dictionaries(st.sampled_from(["x", "y"]), value, max_size=2),
    )
    if on_pool:
        return st.one_of(step, jobs)
    call = st.builds(CallBody, qualified, st.lists(value, max_size=3).map(tuple))
    return st.one_of(step, call, notifications, statements)


pools = st.builds(
    OnPool,
    pool=names,
    instances=st.integers(1, 3),
    runtime=st.sampled_from([None, "2.3.0"]),
    warehouse=st.none() | names,
    metrics=st.booleans(),
)
places: st.SearchStrategy[RunOn] = st.one_of(st.builds(OnWarehouse, names), serverless, pools)
containers = st.fixed_dictionaries(
    {
        "pip": st.lists(st.just("xgboost==2.1.0"), max_size=1).map(tuple),
        "imports": st.lists(st.sampled_from(["shared", "one.py"]), max_size=1).map(tuple),
        "env_vars": mappings(["REGION"], texts),
        "secrets": mappings(["TOKEN"], qualified),
        "artifact_repositories": st.lists(qualified, max_size=1).map(tuple),
    }
)
run_ifs = st.none() | st.sampled_from(RUN_IF)
of_tasks = st.fixed_dictionaries(
    {
        "when": st.none() | conditions,
        "timeout": st.none() | st.sampled_from([0, 60, 604800]),
        "session_parameters": mappings(["TIMEZONE", "week_start"], scalars),
        "execute_as_user": st.none() | names,
        "log_level": st.none() | st.sampled_from(["TRACE", "OFF"]),
        "tags": mappings(["cost", "gov.cost"], texts),
        "contacts": mappings(["support", "STEWARD"], qualified),
        "comment": st.none() | filled,
    }
)


@st.composite
def nodes(draw: st.DrawFn, name: str, after: tuple[str, ...], above: tuple[str, ...]) -> TaskNode:
    run_on = draw(places)
    on_pool = isinstance(run_on, OnPool)
    return TaskNode(
        name=name,
        body=draw(bodies(above, on_pool=on_pool)),
        run_on=run_on,
        after=tuple(sorted(after)),
        run_if=draw(run_ifs) if after else None,
        **draw(of_tasks),
        **(draw(containers) if on_pool else {}),
    )


settings: st.SearchStrategy[GraphSettings] = st.builds(
    GraphSettings,
    schedule=st.one_of(
        st.just(Manual()),
        st.builds(IntervalSchedule, seconds),
        st.just(CronSchedule("0 3 * * 1", "Europe/Berlin")),
        st.builds(
            StreamSchedule,
            st.lists(st.sampled_from(["RAW.O", '"it\'s"']), min_size=1, unique=True).map(tuple),
            st.none() | seconds,
        ),
    ),
    overlap=st.sampled_from(["NO_OVERLAP", "ALLOW_CHILD_OVERLAP", "ALLOW_ALL_OVERLAP"]),
    retries=st.integers(0, 30),
    timeout=st.none() | st.sampled_from([0, 86400]),
    suspend_after_failures=st.none() | st.integers(0, 100),
    on_error=st.none() | names,
    on_success=st.none() | names,
    when=st.none() | conditions,
    run_on=st.one_of(st.none(), st.builds(OnWarehouse, names), serverless),
    log_level=st.none() | st.just("INFO"),
    session_parameters=mappings(["TIMEZONE", "week_start"], scalars),
    execute_as_user=st.none() | names,
    tags=mappings(["cost"], texts),
    contacts=mappings(["support"], qualified),
)
prefixes = st.sampled_from(["a", "Load", "_x"])


@st.composite
def graphs(draw: st.DrawFn) -> TaskGraph:
    """A graph that the checks would let through, but for what only they know of step code."""
    count = draw(st.integers(1, 7))
    tasks: list[TaskNode] = []
    branch_of: set[str] = set()
    for index in range(count):
        name = f"{draw(prefixes)}_{index}"
        earlier = [task.name for task in tasks]
        after = tuple(draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True))) if earlier else ()
        tasks.append(draw(nodes(name, after, after)))
    for index, task in enumerate(tasks):
        below = [other.name for other in tasks if task.name in other.after and other.name not in branch_of]
        if below and draw(st.booleans()):
            branch_of.update(below)
            tasks[index] = _as_branch(task, below, draw)
    finalizer = None
    if draw(st.booleans()):
        finalizer = draw(nodes("finish", (), ()))
        finalizer = _replaced(finalizer, is_finalizer=True, when=None)
    return TaskGraph(
        pipeline="shop",
        spec_path="specs/shop.yaml",
        target=TARGET,
        settings=draw(settings),
        tasks=tuple(tasks),
        finalizer=finalizer,
        description=draw(st.none() | texts),
        config=draw(st.sampled_from([{}, CONFIG])) or CONFIG,
    )


def _as_branch(task: TaskNode, below: list[str], draw: st.DrawFn) -> TaskNode:
    outcomes: dict[str, tuple[str, ...]]
    match draw(st.sampled_from(["each its own", "all in one", "some in two"])):
        case "each its own":
            outcomes = {name: (name,) for name in below}
        case "all in one":
            outcomes = {"good": tuple(below), "bad": ()}
        case _:
            outcomes = {"good": tuple(below), "fine": tuple(below[:1]), "same": ()}
    return _replaced(task, outcomes=outcomes)


def _replaced(task: TaskNode, **changes: Any) -> TaskNode:
    import dataclasses

    return dataclasses.replace(task, **changes)
