"""A model version is traced to its run, and a run to its versions and tables; a bad one is left for the one before."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from small import APPLY, Small
from test_models import SCORER, YES, copied

from sfml.base.resources import schema

SPEC = "specs/small.yaml"
STEPS = '''from sfml_steps import Context, step


@step
def prepare(ctx: Context, source: str) -> dict[str, str]:
    return {"features": source + "_FEATURES"}


@step
def promote(ctx: Context, model_name: str, features: str) -> dict[str, str]:
    """As the general step does, without its client: a copy of the first version becomes the default."""
    shown = ctx.session.sql(f"SHOW VERSIONS IN MODEL {model_name}").collect()
    version = f"V{len(shown) + 1}"
    ctx.session.sql(f"ALTER MODEL {model_name} ADD VERSION {version} FROM MODEL {model_name} VERSION V1").collect()
    ctx.session.sql(f"ALTER MODEL {model_name} SET DEFAULT_VERSION = {version}").collect()
    return {"model": model_name, "version": version}


@step
def score(ctx: Context, model_name: str) -> dict[str, str]:
    """A batch that serves the default version."""
    (shown,) = [
        row
        for row in ctx.session.sql(f"SHOW VERSIONS IN MODEL {model_name}").collect()
        if str(row["is_default_version"]).lower() == "true"
    ]
    return {"model": model_name, "version": shown["name"], "table": "SCORES"}
'''
TASKS = """    first: {step: own.work.prepare, with: {source: '${config.source}'}}
    second:
      step: own.work.promote
      after: [first]
      with: {model_name: SCORER, features: '${first.features}'}
      reads: [RAW]
    third: {step: own.work.score, after: [second], with: {model_name: SCORER}}
"""


def traced(small: Small, *arguments: str) -> dict[str, Any]:
    code, text = small.run("trace", *arguments, "-o", "json")
    value = json.loads(text)
    assert code == 0, text
    Draft202012Validator(schema("output/trace.schema.json")).validate(value)
    assert isinstance(value, dict)
    return value


def ran(small: Small, *arguments: str) -> str:
    code, text = small.run("run", SPEC, "-o", "json", *arguments)
    assert code == 0, text
    return str(json.loads(text)["run_id"])


@pytest.fixture
def serving(small: Small) -> Small:
    """A pipeline that promotes a copy of V1 at each run, and serves the default version."""
    (small.folder / "steps" / "own").mkdir()
    (small.folder / "steps" / "own" / "__init__.py").write_text("")
    (small.folder / "steps" / "own" / "work.py").write_text(STEPS)
    small.edit("    first: {sql: 'select 1'}\n    second: {sql: 'select 2', after: [first]}\n", TASKS)
    small.edit("  tasks:\n", "  config: {source: RAW}\n  tasks:\n")
    copied(small, "V1")
    assert small.run(*APPLY)[0] == 0
    return small


def test_a_version_leads_to_its_run_and_a_run_to_its_version(serving: Small) -> None:
    run = ran(serving, "--config", "source=OLD")
    value = traced(serving, "scorer@last")
    assert value["run_id"] == run == value["run"]["run_id"] and value["deployment"]["number"] == 1
    assert [(one["name"], one["file"], one["line"]) for one in value["tasks"]] == [
        ("first", SPEC, 7),
        ("second", SPEC, 8),
    ], "score came after it"
    first, second = value["tasks"]
    assert first["inputs"] == {"source": "OLD"}, "what the run was given, not what the files say"
    assert second["inputs"] == {"model_name": "SCORER", "features": "OLD_FEATURES"} and second["reads"] == [
        "RAW"
    ]
    (version,) = value["versions"]
    assert (version["version"], version["task"], version["registered"]["default"]) == ("V2", "second", True)
    assert [(one["table"], one["run_id"]) for one in value["tables"]] == [("SCORES", run)]

    back = traced(serving, run[:12])
    assert [(one["model"], one["version"], one["task"]) for one in back["versions"]] == [
        ("SCORER", "V2", "second")
    ]
    assert [one["name"] for one in back["tasks"]] == ["first", "second", "third"]
    code, text = serving.run("trace", "SCORER@V2", "--quiet")
    assert code == 0 and text == ""
    code, text = serving.run("trace", "SCORER@champion")
    assert code == 0 and f"{SPEC}:8" in text and "features: OLD_FEATURES" in text and "SCORES   V2" in text

    unknown = traced(serving, "SCORER@V1")
    assert (unknown["run_id"], unknown["run"], unknown["tasks"]) == (None, None, [])


def test_a_bad_version_is_left_by_one_command_and_the_next_batch_serves_the_one_before(
    serving: Small,
) -> None:
    good = ran(serving)
    ran(serving)
    assert traced(serving, "SCORER@default")["versions"][0]["version"] == "V3"
    code, text = serving.run("models", "rollback", *SCORER, YES, "--reason", "it is worse")
    assert code == 0 and text == "The default version of SCORER is V2 (it was V3).\n"
    batch = ran(serving, "--only", "third")
    tables = traced(serving, "SCORER@V2")["tables"]
    assert [one["run_id"] for one in tables] == [batch, good], "the newest first"
    value = traced(serving, batch)
    assert value["versions"] == [], "a batch makes no version"
    assert [(one["version"], one["task"]) for one in value["tables"]] == [("V2", "third")]
    code, text = serving.run("trace", "SCORER@V3")
    assert code == 0 and "rolled back by" in text and "to V2: it is worse" in text

    assert serving.run("models", "rollback", *SCORER, YES)[0] == 0
    last = ran(serving, "--only", "third")
    first = traced(serving, "SCORER@V1")
    assert [one["run_id"] for one in first["tables"]] == [last]
    assert first["run_id"] is None, "the batch names it, but was not executing when it was logged"


def test_the_run_of_the_comment_is_told_though_it_is_not_kept(serving: Small) -> None:
    model = f"{serving.local.database}.SMALL.SCORER"
    serving.local.sql(f"ALTER MODEL {model} MODIFY VERSION V1 SET COMMENT = 'run 0815 of pipeline small'")
    value = traced(serving, "SCORER@V1")
    assert (value["run_id"], value["run"], value["deployment"]) == ("0815", None, None)
    code, text = serving.run("trace", "SCORER@V1", SPEC)
    assert code == 0 and "0815, which is not kept any more" in text


@pytest.mark.parametrize(
    ("subject", "code", "words"),
    [
        ("SCORER@", 2, "is no MODEL@VERSION"),
        ("@V1", 2, "is no MODEL@VERSION"),
        ("SCORER@V9", 2, "there is no version V9"),
        ("OTHER@V1", 1, "OTHER is not in the registry"),
        ("nothing", 1, "run `nothing` of small is not kept"),
        ("", 1, "run `` of small is not kept"),
    ],
)
def test_what_is_not_known_is_said(serving: Small, subject: str, code: int, words: str) -> None:
    found, text = serving.run("trace", subject)
    assert found == code and words in text


CHAMPION = """    first: {step: own.work.measured, with: {auc: '${config.auc}'}}
    check:
      step: sfml_steps.gate.compare_with_champion
      after: [first]
      with: {value: '${first.auc}', model_name: '${config.model}', metric: spearman, least_gain: 0.05}
      outcomes: {passed: second, failed: alert}
    alert: {sql: 'select 1'}
    second: {step: own.work.promote, with: {model_name: '${config.model}', features: ''}}
    third: {step: own.work.score, after: [second], with: {model_name: '${config.model}'}}
"""
MEASURED = """

@step
def measured(ctx: Context, auc: float) -> dict[str, float]:
    return {"auc": auc}
"""


def test_a_gate_compares_a_candidate_with_the_champion(serving: Small) -> None:
    (serving.folder / "steps" / "own" / "work.py").write_text(STEPS + MEASURED)
    serving.edit(TASKS, CHAMPION)
    serving.edit("  config: {source: RAW}\n", "  config: {auc: 0.44, model: SCORER}\n")
    assert serving.run(*APPLY)[0] == 0
    for auc, version in (("0.44", "V1"), ("0.45", "V2")):
        ran(serving, "--config", f"auc={auc}")
        assert traced(serving, "SCORER@champion")["versions"][0]["version"] == version
