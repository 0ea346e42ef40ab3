"""A pipeline with an ML Job on the local server, through its life: changed, put back, run, removed."""

from __future__ import annotations

import json
from typing import Any

from small import APPLY, Small

STEP = """from sfml_steps import Context, step


@step
def train(ctx: Context) -> dict[str, int]:
    return {{"answer": {}}}
"""


def with_job(small: Small, answer: int) -> None:
    folder = small.folder / "steps" / "trained"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("")
    (folder / "model.py").write_text(STEP.format(answer))


def answered(small: Small) -> Any:
    """What the job returned in a run of what is deployed."""
    code, text = small.run("run", "specs/small.yaml", "-o", "json")
    assert code == 0, text
    return {task["name"]: task["return_value"] for task in json.loads(text)["tasks"]}["second"]


def paths(small: Small) -> set[str]:
    """The files on the stage, each as its folder below the pipeline's: `jobs/<hash>`, `code/<hash>`, …"""
    rows = small.local.sql(f"LIST @{small.local.database}.SMALL.SFML")
    return {"/".join(str(row["name"]).split("/")[2:4]) for row in rows}


def jobs(small: Small) -> set[str]:
    return {path for path in paths(small) if path.startswith("jobs/")}


def job_ids(small: Small) -> dict[str, int | None]:
    """The containers of the tasks that have run, as their history tells them."""
    rows = small.local.sql("SELECT NAME, SPCS_JOB_ID FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())")
    return {row["NAME"]: row["SPCS_JOB_ID"] for row in rows}


def test_a_job_is_changed_put_back_run_and_removed_with_its_files(small: Small) -> None:
    with_job(small, 1)
    small.edit(
        "second: {sql: 'select 2'",
        "second: {step: trained.model.train, run_on: {pool: ML_POOL, instances: 1}",
    )
    code, text = small.run(*APPLY)
    assert code == 0, text
    before, first = small.bodies(), jobs(small)
    assert len(first) == 1 and answered(small) == {"answer": 1}
    assert {name: number is None for name, number in job_ids(small).items()} == {
        "SMALL": True,
        "SMALL$FIRST": True,
        "SMALL$SECOND": False,
    }

    with_job(small, 2)
    assert small.run(*APPLY)[0] == 0
    assert len(jobs(small)) == 2 and small.bodies() != before
    # What was prepared for a retry of the old job stays; the graph runs the new one.
    assert answered(small) == {"answer": 2}

    code, text = small.run("rollback", "specs/small.yaml", "--auto-approve")
    assert code == 0 and "deployment 3 of small is deployment 1 again" in text, text
    assert small.bodies() == before and small.is_on()
    assert answered(small) == {"answer": 1}
    # The files still say 2: the plan tells it, and putting it back has changed no file.
    assert json.loads(small.run("plan", "specs/small.yaml", "-o", "json")[1])["summary"]["alter"] == 1

    code, text = small.run("destroy", "specs/small.yaml", "--auto-approve")
    assert code == 0 and paths(small) == set(), text
    assert small.bodies() == {}
