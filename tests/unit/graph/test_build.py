"""Specs → typed graphs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.frontend.reading import Reading, read
from sfml.graph.model import (
    CallBody,
    CronSchedule,
    JobBody,
    Manual,
    NotifyBody,
    OnPool,
    OnWarehouse,
    Reference,
    Serverless,
    Source,
    SqlBody,
    StepBody,
    StreamSchedule,
    TaskGraph,
    Template,
)

ROOT = Path(__file__).parents[3]


def graph_of(reading: Reading) -> TaskGraph:
    assert reading.diagnostics == ()
    assert reading.graph is not None
    return reading.graph


def test_our_own_pipeline() -> None:
    graph = graph_of(read(ROOT / "specs" / "clv.yaml", user="tester"))
    assert [task.name for task in graph.tasks] == [
        "prepare_data",
        "train_model",
        "check_model_quality",
        "promote_model",
        "send_alert",
        "score_customers",
    ]
    assert graph.finalizer is not None
    assert graph.finalizer.name == "cleanup"
    assert graph.finalizer.is_finalizer
    gate = graph.task("check_model_quality")
    assert gate.outcomes == {"promote_model": ("promote_model",), "send_alert": ("send_alert",)}
    assert graph.task("promote_model").after == ("check_model_quality",)
    assert graph.task("train_model").run_on == OnPool("LOCAL_POOL")
    assert graph.task("train_model").timeout == 4 * 3600
    assert graph.task("prepare_data").run_on == OnWarehouse("LOCAL_WH")
    assert isinstance(gate.body, StepBody)
    assert gate.body.arguments["at_least"] == Reference(Source.CONFIG, None, ("threshold",))
    assert graph.settings.schedule == CronSchedule("0 0 * * 0", "UTC")
    assert graph.settings.timeout == 6 * 3600
    assert (graph.target.database, graph.target.schema, graph.target.stage) == ("SFML", "CLV", "SFML")
    assert graph.spec_path == "specs/clv.yaml"
    assert [seed.file for seed in graph.seeds] == ["data/cdnow.csv"]
    assert gate.spans["with.at_least"].file == "specs/clv/job_config.yaml"


SPEC = """
version: 1
pipeline: mixed
graph:
  tasks:
    last: {sql: {file: sql/last.sql}, after: [job, call], run_if: all_done, when: "SYSTEM$STREAM_HAS_DATA('S')"}
    call: {call: {procedure: db.s.proc, args: [1, "${config.k}", {a: [true, null]}]}}
    plain: {call: proc, after: call}
    job:
      job: {folder: code, entrypoint: run.py, args: ["--depth", 3]}
      run_on: {pool: P, instances: 2, min_instances: 1, warehouse: QW, metrics: false, runtime: "2.3.0"}
      timeout: 1h
      pip: [xgboost]
      env_vars: {A: 1}
    tell: {notify: {integration: N, message: "k is ${config.k}", email: a@b.c, subject: s}}
    cheap: {sql: " select 1 ", run_on: {serverless: {initial: X2LARGE, target_completion: 10m}}, tags: {t: v}}
  config: {k: 1.5, on: true}
  finalizer: {bye: {sql: select 2, log_level: WARN}}
schedule:
  schedule: {on_stream: RAW.ORDERS, every: 5m}
  overlap: ALLOW_ALL_OVERLAP
  suspend_after_failures: 0
  alerts: {on_error: E, on_success: S}
  when: "SYSTEM$STREAM_HAS_DATA('S')"
  session_parameters: {TIMEZONE: UTC}
"""


def test_every_kind_of_task(tmp_path: Path) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets: {local: {kind: local}}\n")
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "last.sql").write_text("select 1;\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "run.py").write_text("")
    (tmp_path / "mixed.yaml").write_text(SPEC)
    graph = graph_of(read(tmp_path / "mixed.yaml"))
    config = Reference(Source.CONFIG, None, ("k",))
    assert [task.name for task in graph.tasks] == ["call", "plain", "job", "last", "tell", "cheap"]
    assert graph.task("last").body == SqlBody("select 1;", "sql/last.sql")
    assert graph.task("last").after == ("call", "job")
    assert (graph.task("last").run_if, graph.task("last").when) == ("all_done", "SYSTEM$STREAM_HAS_DATA('S')")
    assert graph.task("call").body == CallBody("db.s.proc", (1, config, {"a": (True, None)}))
    assert graph.task("plain").body == CallBody("proc")
    assert graph.task("job").body == JobBody("code", "run.py", ("--depth", 3))
    assert graph.task("job").run_on == OnPool("P", 2, 1, "2.3.0", "QW", False)
    assert graph.task("job").env_vars == {"A": "1"}
    assert graph.task("tell").body == NotifyBody("N", Template(("k is ", config)), ("a@b.c",), "s")
    assert graph.task("cheap").body == SqlBody("select 1")
    assert graph.task("cheap").run_on == Serverless("XXLARGE", None, None, 600)
    assert graph.config == {"k": 1.5, "on": True}
    settings = graph.settings
    assert settings.schedule == StreamSchedule(("RAW.ORDERS",), 300)
    assert (settings.overlap, settings.suspend_after_failures) == ("ALLOW_ALL_OVERLAP", 0)
    assert (settings.on_error, settings.on_success, settings.when) == (
        "E",
        "S",
        "SYSTEM$STREAM_HAS_DATA('S')",
    )


@pytest.mark.parametrize("schedule", ["", "schedule: manual\n", "schedule: {schedule: manual}\n"])
def test_without_a_schedule_it_is_manual(tmp_path: Path, schedule: str) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\n")
    spec = "version: 1\npipeline: p\ngraph: {tasks: {a: {sql: select 1}}}\n"
    (tmp_path / "p.yaml").write_text(spec + schedule)
    assert graph_of(read(tmp_path / "p.yaml")).settings.schedule == Manual()


def test_tasks_of_included_files_know_each_other(tmp_path: Path) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\n")
    (tmp_path / "shared.yaml").write_text(
        "version: 1\nparameters: {schema: {type: string}}\ntasks:\n"
        "  load: {call: '{{ param.schema }}.load'}\n"
        "  tell: {notify: {integration: N, type: queue, message: 'got ${load}'}, after: load}\n"
    )
    (tmp_path / "p.yaml").write_text(
        "version: 1\npipeline: p\ngraph:\n  include:\n"
        "    - {tasks: shared.yaml, with: {schema: A}, prefix: a_}\n"
        "    - {tasks: shared.yaml, with: {schema: '{{ each.s }}'}, for_each: {s: [x, y]}}\n"
        "  tasks: {last: {sql: select 1, after: [a_tell, tell]}}\n"
        "targets: {local: {tasks: {a_tell: {timeout: 1m}}}}\n"
    )
    graph = graph_of(read(tmp_path / "p.yaml"))
    assert graph.task("a_load").body == CallBody("A.load")
    assert graph.task("load_y").body == CallBody("y.load")
    tell = graph.task("tell_x")
    assert tell.after == ("load_x",)
    assert isinstance(tell.body, NotifyBody)
    assert tell.body.message == Template(("got ", Reference(Source.RESULT, "load_x", ())))
    assert graph.task("last").after == ("a_tell", "tell_x", "tell_y")
    assert graph.task("a_tell").timeout == 60
