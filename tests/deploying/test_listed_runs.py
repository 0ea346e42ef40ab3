"""`sfml history`: durations against the usual one, and the deployment that each run ran on."""

from __future__ import annotations

import json
from contextlib import chdir

from jsonschema import Draft202012Validator
from small import APPLY, Small

import sfml
from sfml.base.resources import schema


def test_runs_are_listed_with_the_usual_duration_and_their_deployment(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    for _ in range(2):
        assert small.run("run", "specs/small.yaml")[0] == 0
    code, text = small.run("history", "specs/small.yaml")
    assert code == 0 and text.startswith("small on local: the last 2 runs\n"), (
        "two are too few for a usual one"
    )
    small.edit("select 2", "select 3")
    assert small.run(*APPLY)[0] == 0
    assert small.run("run", "specs/small.yaml")[0] == 0
    code, text = small.run("history", "specs/small.yaml", "-n", "2")
    assert code == 0 and text.startswith("small on local: the last 2 runs, usually ")
    assert [line.rpartition("#")[2] for line in text.splitlines()[1:]] == ["2", "1"]
    value = json.loads(small.run("history", "specs/small.yaml", "-o", "json")[1])
    Draft202012Validator(schema("output/history.schema.json")).validate(value)
    assert [one["deployment"] for one in value["runs"]] == [2, 1, 1]
    durations = sorted(one["duration_ms"] for one in value["runs"])
    assert abs(value["usual_ms"] - durations[1]) <= 1
    with chdir(small.folder), sfml.open(".").pipeline("small").connect() as account:
        runs = account.runs(limit=1)
        assert len(runs) == 1 and round(runs.usual_ms or 0) == value["usual_ms"]
        Draft202012Validator(schema("output/history.schema.json")).validate(runs.to_dict())
