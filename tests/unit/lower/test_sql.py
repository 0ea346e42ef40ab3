from __future__ import annotations

import dataclasses
import itertools

import pytest
from made_graphs import TARGET, closure, clv, every, graph, sql, wide
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokenizer_core import Token, TokenType

from sfml.graph.model import Mode, OnPool, SqlBody, StepBody, TaskGraph, TaskNode
from sfml.lower.lower import lower
from sfml.lower.sql import interval_text, tasks_sql


def text_of(made: TaskGraph) -> str:
    return tasks_sql(lower(made, closure, "0.1.0"))


def statements(text: str) -> list[list[Token]]:
    """The statements as Snowflake's lexer separates them; comments are gone."""
    found = Snowflake().tokenize(text)
    groups = itertools.groupby(found, key=lambda token: token.token_type is TokenType.SEMICOLON)
    return [list(group) for separator, group in groups if not separator]


def words(statement: list[Token], count: int) -> str:
    return " ".join(token.text for token in statement[:count]).upper()


def lines(text: str) -> list[str]:
    return text.splitlines()


def section(text: str, task: str) -> str:
    """The statement that creates one task."""
    return text.split(f"CREATE OR ALTER TASK ML_PROD.CLV.{task}\n")[1].split("\n;")[0]


def test_the_root_is_suspended_first_and_resumed_last() -> None:
    text = text_of(clv())
    found = [" ".join(line.split()) for line in lines(text) if line.startswith(("ALTER", "CREATE"))]
    assert found == [
        "ALTER TASK IF EXISTS ML_PROD.CLV.CLV SUSPEND;",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV$PREPARE_DATA",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV$TRAIN_MODEL",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV$CHECK_MODEL_QUALITY",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV$PROMOTE_MODEL",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV$SEND_ALERT",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV$SCORE_CUSTOMERS",
        "CREATE OR ALTER TASK ML_PROD.CLV.CLV$CLEANUP",
        "ALTER TASK ML_PROD.CLV.CLV$PREPARE_DATA RESUME;",
        "ALTER TASK ML_PROD.CLV.CLV$TRAIN_MODEL RESUME;",
        "ALTER TASK ML_PROD.CLV.CLV$CHECK_MODEL_QUALITY RESUME;",
        "ALTER TASK ML_PROD.CLV.CLV$PROMOTE_MODEL RESUME;",
        "ALTER TASK ML_PROD.CLV.CLV$SEND_ALERT RESUME;",
        "ALTER TASK ML_PROD.CLV.CLV$SCORE_CUSTOMERS RESUME;",
        "ALTER TASK ML_PROD.CLV.CLV$CLEANUP RESUME;",
        "ALTER TASK ML_PROD.CLV.CLV RESUME;",
    ]


@pytest.mark.parametrize("made", [clv(), wide(), every(90)], ids=["clv", "wide", "every"])
def test_a_lexer_finds_the_statements_that_were_written(made: TaskGraph) -> None:
    """Neither a body nor a comment runs into the next statement."""
    text = text_of(made)
    assert {words(statement, 2) for statement in statements(text)} == {"ALTER TASK", "CREATE OR"}
    assert len(statements(text)) == sum(line.startswith(("ALTER", "CREATE")) for line in lines(text))


def test_a_root_says_all_that_it_has() -> None:
    assert section(text_of(clv()), "CLV").splitlines()[:8] == [
        "  WAREHOUSE = ML_WH",
        "  SCHEDULE = 'USING CRON 0 0 * * 0 UTC'",
        """  CONFIG = '{"model_name":"CLV_MODEL","threshold":0.4}'""",
        "  OVERLAP_POLICY = NO_OVERLAP",
        "  USER_TASK_TIMEOUT_MS = 21600000",
        """  QUERY_TAG = '{"sfml":{"pipeline":"clv"}}'""",
        "  SUSPEND_TASK_AFTER_NUM_FAILURES = 3",
        "  ERROR_INTEGRATION = ML_ERRORS",
    ]


def test_edges_conditions_and_finalizer() -> None:
    text = text_of(clv())
    promote = section(text, "CLV$PROMOTE_MODEL")
    assert "  AFTER ML_PROD.CLV.CLV$CHECK_MODEL_QUALITY\n  WHEN SYSTEM$GET" in promote
    assert "  FINALIZE = ML_PROD.CLV.CLV\nAS" in section(text, "CLV$CLEANUP")
    joined = section(text_of(wide()), "WIDE$JOIN")
    assert "  AFTER ML_PROD.CLV.WIDE$LEFT, ML_PROD.CLV.WIDE$RIGHT\n" in joined


def test_what_create_or_alter_lacks_is_altered() -> None:
    found = [line for line in lines(text_of(wide())) if " SET " in line]
    assert found == [
        "ALTER TASK ML_PROD.CLV.WIDE SET USER_TASK_MINIMUM_TRIGGER_INTERVAL_IN_SECONDS = 60, LOG_LEVEL = 'INFO';",
        "ALTER TASK ML_PROD.CLV.WIDE SET TAG OWNER = 'ml';",
        "ALTER TASK ML_PROD.CLV.WIDE$CHECK SET USER_TASK_MANAGED_INITIAL_WAREHOUSE_SIZE = 'XSMALL';",
        "ALTER TASK ML_PROD.CLV.WIDE$CHECK SET SERVERLESS_TASK_MIN_STATEMENT_SIZE = 'XSMALL';",
        "ALTER TASK ML_PROD.CLV.WIDE$CHECK SET SERVERLESS_TASK_MAX_STATEMENT_SIZE = 'LARGE';",
        "ALTER TASK ML_PROD.CLV.WIDE$CHECK SET TARGET_COMPLETION_INTERVAL = '10 MINUTES';",
        "ALTER TASK ML_PROD.CLV.WIDE$CHECK SET LOG_LEVEL = 'DEBUG';",
        "ALTER TASK ML_PROD.CLV.WIDE$CHECK SET TAG COST_CENTER = 'ml''s';",
    ]


def test_in_development_the_schedule_stays_off() -> None:
    development = dataclasses.replace(TARGET, mode=Mode.DEVELOPMENT)
    text = text_of(dataclasses.replace(clv(), target=development))
    assert "ALTER TASK ML_PROD.CLV.CLV RESUME;" not in lines(text)
    assert "turn it on with: ALTER TASK ML_PROD.CLV.CLV RESUME;" in text


def test_a_manual_root_is_not_resumed() -> None:
    assert "EXECUTE TASK ML_PROD.CLV.CLV;" in text_of(graph(sql("only")))


def test_an_unpinned_runtime_is_said() -> None:
    assert "-- The runtime's image is not pinned" in text_of(clv())
    pinned = graph(TaskNode("fit", StepBody("clv.fit.fit", {}), OnPool("POOL", runtime="2.3.0")))
    text = text_of(pinned)
    assert "is not pinned" not in text
    assert '"RUNTIME": "2.3.0"' in text


def test_a_body_may_end_in_a_comment_and_names_may_be_hostile() -> None:
    hostile = dataclasses.replace(TARGET, database='my"db; drop', schema="order")
    node = TaskNode("q", SqlBody("select 1 -- it's; done"), sql("x").run_on, comment="a'; DROP TASK x; --")
    text = text_of(dataclasses.replace(graph(node), target=hostile, spec_path="a\nDROP TASK x;.yaml"))
    assert 'CREATE OR ALTER TASK "my""db; drop"."ORDER".CLV$Q' in text
    assert [words(statement, 2) for statement in statements(text)] == [
        "ALTER TASK",
        "CREATE OR",
        "CREATE OR",
        "ALTER TASK",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(43200, "12 HOURS"), (5400, "90 MINUTES"), (90, "90 SECONDS"), (60, "1 MINUTES"), (86400, "24 HOURS")],
)
def test_intervals(seconds: int, text: str) -> None:
    assert interval_text(seconds) == text
