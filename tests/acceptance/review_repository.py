"""A repository made for reviews: three pipelines on `main`, and pull requests of every kind as branches.

Commits have fixed names and times, so that the same script makes the same repository everywhere.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

WHEN = "2026-11-20T09:30:00+01:00"

PROJECT = """\
version: 1
steps: [steps]
targets:
  local: {kind: local, default: true}
  prod:
    connection: prod
    account: MYORG-PROD
    owner_role: ML_OWNER
    database: ML_PROD
    schema: "{{ pipeline }}"
    warehouse: ML_WH
    compute_pool: ML_POOL
    mode: production
"""

CHURN = """\
version: 1
pipeline: churn
description: Weekly churn model
graph: churn/job_config.yaml
schedule: churn/schedule_config.yaml
variables:
  threshold: 0.7
targets:
  prod: {variables: {threshold: 0.75}}
"""

CHURN_GRAPH = """\
version: 1
config:
  threshold: "{{ var.threshold }}"
tasks:
  prepare:
    step: churn.features.prepare
    with: {source: ORDERS}
    packages: [pandas==2.2.3]
  train:
    step: churn.train.train
    after: [prepare]
    with: {table: "${prepare.table}"}
    packages: [pandas==2.2.3]
    timeout: 2h
  check:
    step: churn.gate.check
    after: [train]
    with: {value: "${train.auc}", at_least: "${config.threshold}"}
    outcomes: [publish, alert]
  publish:
    sql: {file: ../../sql/publish.sql}
  alert:
    notify: {integration: ML_ALERTS, message: "churn model below threshold"}
finalizer:
  cleanup: {sql: drop table if exists CHURN_FEATURES}
"""

CHURN_SCHEDULE = """\
version: 1
schedule: {cron: "0 4 * * 1", timezone: UTC}
retries: 1
timeout: 6h
"""

FORECAST = """\
version: 1
pipeline: forecast
graph:
  include: {tasks: shared/scoring.yaml, with: {table: FORECASTS}}
  tasks:
    load: {sql: insert into SALES select * from RAW_SALES}
schedule: {schedule: {every: 12h}}
"""

SCORING = """\
version: 1
tasks:
  score: {sql: "insert into {{ param.table }} select * from NEW_ROWS"}
"""

REPORT = """\
version: 1
pipeline: report
graph: {tasks: {refresh: {sql: select 1}}}
schedule: {schedule: manual}
"""

FEATURES = '''\
"""Features of a customer."""

from typing import TypedDict

from sfml_steps import Context, step


class Features(TypedDict):
    table: str


def days(orders: list[int]) -> int:
    return max(orders) - min(orders)


@step
def prepare(ctx: Context, source: str) -> Features:
    """Count what each customer bought."""
    ctx.session.sql(f"create or replace table CHURN_FEATURES as select * from {source}").collect()
    return {"table": "CHURN_FEATURES"}
'''

TRAIN = '''\
"""Training."""

from typing import TypedDict

from churn.features import days
from sfml_steps import Context, step


class Trained(TypedDict):
    auc: float


def fit(rows: list[int]) -> float:
    return 0.5 + 0.1 * days(rows)


@step
def train(ctx: Context, table: str) -> Trained:
    """Fit a model and measure it."""
    return {"auc": fit([1, 2, 3])}
'''

GATE = '''\
from typing import Literal

from sfml_steps import Context, step


@step
def check(ctx: Context, value: float, at_least: float) -> Literal["publish", "alert"]:
    """Publish what is good enough."""
    return "publish" if value >= at_least else "alert"
'''

FILES = {
    "sfml.yaml": PROJECT,
    "specs/churn.yaml": CHURN,
    "specs/churn/job_config.yaml": CHURN_GRAPH,
    "specs/churn/schedule_config.yaml": CHURN_SCHEDULE,
    "specs/forecast.yaml": FORECAST,
    "specs/shared/scoring.yaml": SCORING,
    "specs/report.yaml": REPORT,
    "steps/churn/__init__.py": "",
    "steps/churn/features.py": FEATURES,
    "steps/churn/train.py": TRAIN,
    "steps/churn/gate.py": GATE,
    "sql/publish.sql": "insert into SCORES\nselect * from CHURN_SCORES\nwhere score is not null\n",
}


_SETTINGS = ("-c", "core.autocrlf=false", "-c", "core.fileMode=true", "-c", "maintenance.auto=false")
"""Without the last one, each commit would start a process that looks for something to tidy up."""


@dataclass(frozen=True)
class Repository:
    """A repository on `main`; `commit` makes a commit of everything there is."""

    folder: Path

    def git(self, *arguments: str) -> str:
        names = ("AUTHOR_NAME", "COMMITTER_NAME")
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            **{f"GIT_{name}": "Reviewer" for name in names},
            **{f"GIT_{name.replace('NAME', 'EMAIL')}": "reviewer@example.com" for name in names},
            "GIT_AUTHOR_DATE": WHEN,
            "GIT_COMMITTER_DATE": WHEN,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }
        done = subprocess.run(
            ("git", *_SETTINGS, *arguments),
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        self.write(path, text.replace(old, new))

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)


def repository_in(folder: Path) -> Repository:
    """The base, on `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Repository(folder)
    made.git("init", "-q", "-b", "main")
    for path, text in FILES.items():
        made.write(path, text)
    made.commit("Three pipelines")
    return made


def with_pull_requests(folder: Path) -> Repository:
    """The base with a branch for each of `PULL_REQUESTS`."""
    made = repository_in(folder)
    for branch, change in PULL_REQUESTS.items():
        made.git("checkout", "-q", "-b", branch, "main")
        change(made)
        made.commit(f"Do what {branch} says")
    made.git("checkout", "-q", "main")
    return made


def _threshold(it: Repository) -> None:
    it.edit("specs/churn.yaml", "threshold: 0.75", "threshold: 0.6")


def _schedule(it: Repository) -> None:
    it.edit(
        "specs/churn/schedule_config.yaml",
        '"0 4 * * 1", timezone: UTC',
        '"30 2 * * *", timezone: Europe/Berlin',
    )


def _code(it: Repository) -> None:
    it.edit("steps/churn/train.py", "0.5 + 0.1 *", "0.6 + 0.1 *")
    it.edit("steps/churn/features.py", "return max(orders) - min(orders)", "return max(orders, default=0)")


def _task_added(it: Repository) -> None:
    task = """\
  export:
    sql: |
      copy into @EXPORTS/scores
      from (select * from SCORES)
    after: [publish]
    timeout: 10m
finalizer:"""
    it.edit("specs/churn/job_config.yaml", "finalizer:", task)


def _task_renamed(it: Repository) -> None:
    it.edit("specs/churn/job_config.yaml", "  train:\n", "  fit_model:\n")
    it.edit("specs/churn/job_config.yaml", "after: [train]", "after: [fit_model]")
    it.edit("specs/churn/job_config.yaml", "${train.auc}", "${fit_model.auc}")
    it.edit("specs/churn/job_config.yaml", "finalizer:", "moved: [{from: train, to: fit_model}]\nfinalizer:")


def _branch_rewired(it: Repository) -> None:
    it.edit(
        "specs/churn/job_config.yaml",
        "outcomes: [publish, alert]",
        "outcomes: {publish: [publish, alert], alert: []}",
    )


def _moved_without_meaning(it: Repository) -> None:
    graph = it.folder / "specs" / "churn" / "job_config.yaml"
    text = graph.read_text(encoding="utf-8").replace("../../sql", "../sql")
    text = text.replace("with: {source: ORDERS}", "with:\n      # the raw table\n      source: 'ORDERS'")
    it.write("specs/churn_graph.yaml", text.replace("timeout: 2h", "timeout: 120m"))
    graph.unlink()
    it.edit("specs/churn.yaml", "graph: churn/job_config.yaml", "graph: churn_graph.yaml")


def _packages(it: Repository) -> None:
    it.edit(
        "specs/churn/job_config.yaml",
        "packages: [pandas==2.2.3]",
        "packages: [pandas==2.3.0, scikit-learn==1.7.0]",
    )


def _new_pipeline(it: Repository) -> None:
    it.write(
        "specs/returns.yaml",
        "version: 1\npipeline: returns\ngraph:\n  tasks:\n"
        "    load: {sql: insert into RETURNS select * from RAW_RETURNS}\n"
        "    count: {sql: select count(*) from RETURNS, after: [load]}\n"
        'schedule: {schedule: {cron: "15 6 * * *", timezone: UTC}}\n',
    )


HOSTILE = "`|</td></details><script>alert(1)</script>![x](https://example.com/x.png)@everyone #1 \u202e\u200b"


def _hostile_values(it: Repository) -> None:
    it.git("mv", "specs/churn/schedule_config.yaml", "specs/churn/`|<b>@everyone.yaml")
    it.edit(
        "specs/churn.yaml", "schedule: churn/schedule_config.yaml", 'schedule: "churn/`|<b>@everyone.yaml"'
    )
    it.edit("specs/churn.yaml", "Weekly churn model", f'"{HOSTILE}\\n\\n```\\n# heading\\n-->"')
    it.edit(
        "specs/churn/job_config.yaml", "churn model below threshold", f"{HOSTILE}\\n```mermaid\\nclick t1"
    )
    it.edit("specs/churn/job_config.yaml", "{source: ORDERS}", f'{{source: "a || b {HOSTILE}"}}')
    it.write("sql/publish.sql", f"select 1 -- ```\n-- ~~~ {HOSTILE}\n```\n</details>\n")


def _broken(it: Repository) -> None:
    it.edit("specs/churn/job_config.yaml", "outcomes: [publish, alert]", "outcomes: [publich, alert]")


def _removed_and_shared(it: Repository) -> None:
    (it.folder / "specs" / "report.yaml").unlink()
    it.edit("specs/shared/scoring.yaml", "select * from NEW_ROWS", "select distinct * from NEW_ROWS")
    it.edit("sfml.yaml", 'schema: "{{ pipeline }}"', 'schema: "{{ pipeline }}_V2"')


PULL_REQUESTS: dict[str, Callable[[Repository], None]] = {
    "threshold": _threshold,
    "schedule-over-a-clock-change": _schedule,
    "step-code": _code,
    "task-added": _task_added,
    "task-renamed": _task_renamed,
    "branch-rewired": _branch_rewired,
    "moved-without-meaning": _moved_without_meaning,
    "packages": _packages,
    "new-pipeline": _new_pipeline,
    "hostile`|<b>@everyone": _hostile_values,
    "broken": _broken,
    "removed-and-another-schema": _removed_and_shared,
}
"""Branch → what it changes."""
