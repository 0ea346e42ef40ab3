"""Exported runs: what the account keeps is added to the file, and costs read it."""

from __future__ import annotations

import json

from jsonschema import Draft202012Validator
from small import APPLY, Small

from sfml.base.exported_runs import FORMATS, exported_document
from sfml.base.resources import schema
from sfml.cost.measured import measured_in


def test_runs_are_added_to_the_file(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    export = ("history", "specs/small.yaml", "--export", "runs/small.json")
    table = (*export[:-1], "runs/small.parquet")
    for count in (1, 2):
        assert small.run("run", "specs/small.yaml")[0] == 0
        for words in (export, table):
            code, text = small.run(*words)
            assert code == 0 and f"holds {count} run" in text, text
    as_json, as_table = (small.folder / "runs" / f"small{suffix}" for suffix in FORMATS)
    assert exported_document(as_table) == exported_document(as_json)
    assert measured_in([as_table]).seconds == measured_in([as_json]).seconds
    file = small.folder / "runs" / "small.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator(schema("output/history_export.schema.json")).validate(document)
    assert {run["outcome"] for run in document["runs"]} == {"succeeded"}
    assert set(measured_in([file]).seconds["small", "local"]) == {"first", "second"}
    kept = {**document, "runs": [{**document["runs"][0], "run_id": "older", "started_at": "2020-01-01"}]}
    file.write_text(json.dumps(kept), encoding="utf-8")
    code, text = small.run(*export, "-o", "json")
    found = json.loads(text)
    Draft202012Validator(schema("output/history.schema.json")).validate(found)
    assert code == 0 and found["exported"]["runs"] == 3
    assert json.loads(file.read_text(encoding="utf-8"))["runs"][0]["run_id"] == "older"


def test_a_file_of_something_else_is_left_alone(small: Small) -> None:
    assert small.run(*APPLY)[0] == 0
    file = small.folder / "x.json"
    ours = '{"pipeline": "small", "target": "local", "runs": [%s]}'
    runs = (
        ours % '{"run_id": "x"}',
        ours % '{"run_id": "x", "started_at": 1}, {"run_id": "y", "started_at": "2"}',
    )
    for text in ("{}", "[]", "not json", '{"pipeline": "other", "target": "local", "runs": []}', *runs):
        file.write_text(text, encoding="utf-8")
        assert small.run("history", "specs/small.yaml", "--export", "x.json")[0] == 2
        assert file.read_text(encoding="utf-8") == text
    assert small.run("history", "specs/small.yaml", "--export", "x.json", "--deployments")[0] == 2
    code, text = small.run("history", "specs/small.yaml", "--export", "x.csv")
    assert code == 2 and "--export writes JSON or Parquet" in text and not (small.folder / "x.csv").exists()
