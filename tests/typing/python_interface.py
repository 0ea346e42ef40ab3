"""What type checkers know of `import sfml`; checked by `make lint`, and never run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, assert_type

from snowflake.core.task.dagv1 import DAG

import sfml

project = assert_type(sfml.open("."), sfml.Project)
assert_type(project.root, Path)
assert_type(project.pipelines, tuple[sfml.Pipeline, ...])
clv = assert_type(project.pipeline("clv", target="local", variables={"threshold": 0.4}), sfml.Pipeline)
findings = assert_type(clv.check(), sfml.Findings)
assert_type(findings[0], sfml.Finding)
assert_type(findings.errors, tuple[sfml.Finding, ...])
assert_type(clv.compile("build"), sfml.Artefact)
assert_type(clv.graph, sfml.Graph)
assert_type(clv.dag(), DAG)

with clv.connect() as account:
    assert_type(account, sfml.Account)
    plan = assert_type(account.plan(), sfml.Plan)
    assert_type(plan.changes, tuple[sfml.Change, ...])
    assert_type(plan.risks, tuple[sfml.Risk, ...])
    assert_type(plan.to_dict(), dict[str, Any])
    assert_type(account.apply(plan, approve=True), sfml.Applied)
    run = assert_type(account.run(config={"threshold": 0.3}), sfml.Run)
    assert_type(run.wait(progress=print), sfml.Run)
    assert_type(run.state, str)
    assert_type(run["train_model"], sfml.TaskRun)
    assert_type(run["train_model"].error, str | None)
    assert_type(run["train_model"].logs(), str)
    part = assert_type(account.plan_run(only=["train", "+score"], deployment=3), sfml.RunPlan)
    assert_type(part.runs, tuple[str, ...])
    assert_type(part.reuses, dict[str, str])
    assert_type(part.dag(), DAG)
    assert_type(account.plan_backfill({"day": ["2026-01-01"]}).dag(), DAG)
    assert_type(account.run(recover="last", from_="train"), sfml.Run)
    assert_type(account.backfill({"day": "2026-01-01..2026-01-31"}, at_once=4).is_done, bool)
    assert_type(account.runs(limit=20), sfml.Runs)
    assert_type(account.models("CLV_MODEL")["CLV_MODEL"], Sequence[sfml.ModelVersion])
    assert_type(account.models("CLV_MODEL").version("CLV_MODEL", "champion"), sfml.ModelVersion | None)
    assert_type(account.promote("V_1", reason="better", approve=True).default, str)
    assert_type(account.trace("CLV_MODEL@champion").run_id, str | None)
    assert_type(account.rollback_model(approve=True).previous, str | None)
    assert_type(account.set_alias("challenger", "V_2").version, str | None)
    assert_type(account.rollback(to=3), sfml.Applied)
