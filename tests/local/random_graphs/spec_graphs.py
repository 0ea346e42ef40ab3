"""Random pipelines with a random test of one run, as the text of an entry file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import assume
from hypothesis import strategies as st

from sfml.frontend.reading import Reading, read

PROJECT = "version: 1\ndefaults: {run_on: {warehouse: WH}}\ntargets: {local: {kind: local}}\n"

RUN_IFS = (
    *("none_failed_min_one_succeeded", "all_done", "at_least_one_failed", "none_failed"),
    *("all_succeeded", "at_least_one_succeeded"),
)


@st.composite
def pipelines(draw: st.DrawFn, largest: int = 7) -> dict[str, Any]:
    """An entry file's document; what it holds may still be refused."""
    count = draw(st.integers(2, largest))
    names = [f"t{number}" for number in range(count)]
    tasks: dict[str, dict[str, Any]] = {name: {"sql": "select 1"} for name in names}
    given: dict[str, Any] = {}
    is_arm: set[str] = set()
    for number, name in enumerate(names):
        task = tasks[name]
        if number and name not in is_arm:
            above = draw(st.lists(st.sampled_from(names[:number]), max_size=2, unique=True))
            if above:
                task["after"] = above
                run_if = draw(st.sampled_from((None, None, *RUN_IFS)))
                if run_if:
                    task["run_if"] = run_if
        if draw(st.integers(0, 5)) == 0:
            whens = ["1 = 1", "1 = 0", "'a' in ('a', 'b')", "null"]
            if task.get("after"):
                whens.append(f"SYSTEM$TASK_COMPLETION_STATE('P${task['after'][0].upper()}') = 'FAILED'")
            task["when"] = draw(st.sampled_from(whens))
        free = [one for one in names[number + 1 :] if one not in is_arm]
        if free and draw(st.integers(0, 2)) == 0:
            arms = draw(st.lists(st.sampled_from(free), min_size=1, max_size=3, unique=True))
            is_arm |= set(arms)
            outcomes = {"good": arms[:1], "bad": arms[1:]}
            tasks[name] = {**task, "outcomes": outcomes}
            given[name] = draw(st.sampled_from(("good", "bad", "good", "bad", "fails")))
        else:
            end = draw(st.sampled_from((None, None, None, "succeeds", "fails", {"fails": 1})))
            if end is not None:
                given[name] = end
    graph: dict[str, Any] = {"tasks": tasks}
    if draw(st.booleans()):
        graph["finalizer"] = {"last": {"sql": "select 1"}}
        given["last"] = draw(st.sampled_from(("succeeds", "succeeds", "fails", {"fails": 1})))
    return {
        "version": 1,
        "pipeline": "p",
        "graph": graph,
        "schedule": {"schedule": "manual", "retries": draw(st.integers(0, 1))},
        "tests": {"it": {"given": given, "state": "SUCCEEDED", "attempts": 1, "succeeded": names}},
    }


def reading_of(document: dict[str, Any], folder: Path) -> Reading:
    """The pipeline read; drawn again where a rule refuses it."""
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    path = folder / "p.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    reading = read(path, cwd=folder)
    assume(reading.graph is not None)
    return reading
