"""What consumes the stream that starts a graph, as far as anybody can see."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.frontend.reading import read

PROJECT = """version: 1
steps: [steps]
defaults: {run_on: {warehouse: WH}}
targets: {local: {kind: local, default: true}}
"""

STEPS = """from sfml_steps import Context, step


@step
def plain(ctx: Context, table: str = "ORDERS") -> int:
    return ctx.session.table(table).count()


@step
def named(ctx: Context) -> None:
    ctx.session.sql("insert into T select * from raw.s").collect()


@step
def nothing(ctx: Context) -> int:
    return 1
"""


def streams_told(folder: Path, task: str, code: str = STEPS, graph: str = "") -> int:
    (folder / "steps").mkdir()
    (folder / "steps" / "shop.py").write_text(code, encoding="utf-8")
    (folder / "sfml.yaml").write_text(PROJECT, encoding="utf-8")
    text = (
        f"version: 1\npipeline: p\nschedule: {{on_stream: RAW.S}}\ngraph:\n{graph}  tasks:\n    a: {task}\n"
    )
    (folder / "p.yaml").write_text(text, encoding="utf-8")
    reading = read(folder / "p.yaml", cwd=folder)
    assert reading.graph is not None, [finding.message for finding in reading.diagnostics]
    return sum(finding.code == "SF510" for finding in reading.diagnostics)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO T SELECT * FROM raw.s",
        'insert into t select * from DB.RAW."S"',
        "MERGE INTO T USING (SELECT * FROM S) Q ON T.ID = Q.ID WHEN MATCHED THEN DELETE",
        "CREATE OR REPLACE TABLE T AS SELECT * FROM S",
        "UPDATE T SET N = 1 FROM S WHERE S.ID = T.ID",
        "BEGIN INSERT INTO T SELECT * FROM S; END",
        "BEGIN EXECUTE IMMEDIATE :statement; END",
        "CALL LOAD()",
        "EXECUTE IMMEDIATE 'insert into t select * from s'",
    ],
)
def test_statements_that_consume(tmp_path: Path, sql: str) -> None:
    assert streams_told(tmp_path, "{sql: " + repr(sql).replace("\\'", "''") + "}") == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM RAW.S",
        "(SELECT * FROM S)",
        "WITH Q AS (SELECT * FROM S) SELECT COUNT(*) FROM Q",
        "INSERT INTO T SELECT * FROM S_OLD -- not from s",
        "INSERT INTO T SELECT * FROM ORDERS",
        "BEGIN INSERT INTO T SELECT 1; END",
        "SHOW STREAMS LIKE 'S'",
    ],
)
def test_statements_that_leave_the_rows_there(tmp_path: Path, sql: str) -> None:
    assert streams_told(tmp_path, "{sql: " + repr(sql) + "}") == 1


@pytest.mark.parametrize(
    "task",
    [
        "{step: shop.plain, with: {table: RAW.S}}",
        "{call: LOAD}",
        "{sql: SELECT 1, reads: [RAW.S]}",
    ],
)
def test_what_may_consume_is_believed(tmp_path: Path, task: str) -> None:
    assert streams_told(tmp_path, task, STEPS.replace("raw.s", "raw.orders")) == 0


def test_the_name_in_the_code_of_a_step_is_enough(tmp_path: Path) -> None:
    assert streams_told(tmp_path, "{step: shop.nothing}") == 0


def test_a_config_value_may_name_it(tmp_path: Path) -> None:
    code = STEPS.replace("raw.s", "raw.orders")
    task = '{step: shop.plain, with: {table: "${config.source}"}}'
    assert streams_told(tmp_path, task, code, "  config: {source: raw.s}\n") == 0


def test_a_step_that_never_hears_of_the_stream_does_not_consume_it(tmp_path: Path) -> None:
    assert streams_told(tmp_path, "{step: shop.plain}", STEPS.replace("raw.s", "raw.orders")) == 1


def test_a_step_that_calls_procedures_is_believed(tmp_path: Path) -> None:
    code = STEPS.replace('.sql("insert into T select * from raw.s")', '.sql("call load()")')
    assert streams_told(tmp_path, "{step: shop.plain}", code) == 0
