"""Reading the statements about tasks."""

from __future__ import annotations

import pytest

from sfml_local.grammar.shows import Listing
from sfml_local.grammar.statements import parse_statement
from sfml_local.grammar.task_settings import Clauses, Word
from sfml_local.grammar.tasks import (
    AddAfter,
    AlterTask,
    CreateMode,
    CreateTask,
    DescribeTask,
    DropTask,
    ExecuteTask,
    ModifyBody,
    ModifyWhen,
    RemoveAfter,
    RemoveWhen,
    Resume,
    RetryGroup,
    RetryLast,
    SetSettings,
    SetTags,
    ShowTaskParameters,
    ShowTasks,
    Statement,
    Suspend,
    UnsetSettings,
    UnsetTags,
    UsingConfig,
    parse,
)
from sfml_local.grammar.tokens import Name, SqlSyntaxError, Tokens


def read(sql: str) -> Statement | None:
    return parse(Tokens(sql))


def name(text: str) -> Name:
    return Name(tuple(text.split(".")))


def test_a_task_with_every_clause() -> None:
    statement = read(
        """create or replace task DB."my schema".clv$train
        with tag (cost.center = 'ml', "t" = 'it''s')
        with contact (steward = db.s.c)
        WAREHOUSE = "small wh"
        SCHEDULE = 'USING CRON 0 0 * * 0 UTC'
        CONFIG = $${"a": "x\\ny"}$$
        OVERLAP_POLICY = no_overlap
        ALLOW_OVERLAPPING_EXECUTION = FALSE
        TIMEZONE = 'UTC', LOCK_TIMEOUT = 10
        USER_TASK_TIMEOUT_MS = 3600000
        ERROR_INTEGRATION = errs
        SUCCESS_INTEGRATION = 'oks'
        LOG_LEVEL = INFO
        COMMENT = 'it''s
two lines'
        AFTER a, DB.S.b
        EXECUTE AS USER bob
        WHEN CAST(system$get_predecessor_return_value('X') AS INT) = 1 and 'AS' = 'AS'
        AS call p('; as', $$x$$);
        """
    )
    assert statement == CreateTask(
        name("DB.my schema.CLV$TRAIN"),
        Clauses(
            settings=(
                ("WAREHOUSE", Name(("small wh",))),
                ("SCHEDULE", "USING CRON 0 0 * * 0 UTC"),
                ("CONFIG", '{"a": "x\\ny"}'),
                ("OVERLAP_POLICY", Word("no_overlap")),
                ("ALLOW_OVERLAPPING_EXECUTION", False),
                ("TIMEZONE", "UTC"),
                ("LOCK_TIMEOUT", 10),
                ("USER_TASK_TIMEOUT_MS", 3600000),
                ("ERROR_INTEGRATION", name("ERRS")),
                ("SUCCESS_INTEGRATION", "oks"),
                ("LOG_LEVEL", Word("INFO")),
                ("COMMENT", "it's\ntwo lines"),
            ),
            after=(name("A"), name("DB.S.B")),
            when="CAST(system$get_predecessor_return_value('X') AS INT) = 1 and 'AS' = 'AS'",
            execute_as="BOB",
            tags=((name("COST.CENTER"), "ml"), (Name(("t",)), "it's")),
            contacts=(("STEWARD", name("DB.S.C")),),
        ),
        "call p('; as', $$x$$)",
        CreateMode.OR_REPLACE,
    )


def test_the_body_is_kept_to_the_letter() -> None:
    body = "WITH P AS PROCEDURE (C STRING)\n  AS $$\ndef f(s): return 'x' # it's\n$$ CALL P('a;b -- c')"
    statement = read(f"CREATE TASK t AS {body};")
    assert isinstance(statement, CreateTask)
    assert statement.definition == body


def test_a_script_keeps_its_semicolons() -> None:
    statement = read("CREATE TASK t AS BEGIN select 1; select 2; END;")
    assert isinstance(statement, CreateTask)
    assert statement.definition == "BEGIN select 1; select 2; END"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE TASK t AS x", CreateTask(name("T"), Clauses(), "x")),
        ("CREATE OR ALTER TASK t AS x", CreateTask(name("T"), Clauses(), "x", CreateMode.OR_ALTER)),
        ("CREATE TASK IF NOT EXISTS t AS x", CreateTask(name("T"), Clauses(), "x", if_not_exists=True)),
        ("CREATE TASK t CLONE u", CreateTask(name("T"), Clauses(), None, clone=name("U"))),
        (
            "CREATE TASK f FINALIZE = r AS x",
            CreateTask(name("F"), Clauses(settings=(("FINALIZE", name("R")),)), "x"),
        ),
        ("ALTER TASK IF EXISTS t RESUME", AlterTask(name("T"), Resume(), if_exists=True)),
        ("ALTER TASK t SUSPEND;", AlterTask(name("T"), Suspend())),
        ("ALTER TASK t ADD AFTER a, b", AlterTask(name("T"), AddAfter((name("A"), name("B"))))),
        ("ALTER TASK t REMOVE AFTER a", AlterTask(name("T"), RemoveAfter((name("A"),)))),
        (
            "ALTER TASK t SET WAREHOUSE = w, COMMENT = '' QUERY_TAG = '{\"a\":1}'",
            AlterTask(
                name("T"),
                SetSettings(
                    Clauses((("WAREHOUSE", name("W")), ("COMMENT", ""), ("QUERY_TAG", '{"a":1}'))),
                ),
            ),
        ),
        (
            "ALTER TASK t SET FINALIZE = r",
            AlterTask(name("T"), SetSettings(Clauses((("FINALIZE", name("R")),)))),
        ),
        ("ALTER TASK t SET EXECUTE AS USER u", AlterTask(name("T"), SetSettings(Clauses(execute_as="U")))),
        (
            "ALTER TASK t UNSET WAREHOUSE, SCHEDULE",
            AlterTask(name("T"), UnsetSettings(("WAREHOUSE", "SCHEDULE"))),
        ),
        ("ALTER TASK t UNSET EXECUTE AS USER", AlterTask(name("T"), UnsetSettings(("EXECUTE_AS_USER",)))),
        (
            "ALTER TASK t SET TAG a = 'b', c.d = 'e'",
            AlterTask(name("T"), SetTags(((name("A"), "b"), (name("C.D"), "e")))),
        ),
        ("ALTER TASK t UNSET TAG a, b", AlterTask(name("T"), UnsetTags((name("A"), name("B"))))),
        ("ALTER TASK t MODIFY AS select 1", AlterTask(name("T"), ModifyBody("select 1"))),
        ("ALTER TASK t MODIFY WHEN 1=1", AlterTask(name("T"), ModifyWhen("1=1"))),
        ("ALTER TASK t REMOVE WHEN", AlterTask(name("T"), RemoveWhen())),
        ("DROP TASK IF EXISTS a.b.c", DropTask(name("A.B.C"), if_exists=True)),
        ("desc task t", DescribeTask(name("T"))),
        ("DESCRIBE TASK t", DescribeTask(name("T"))),
        ("SHOW TASKS", ShowTasks(Listing())),
        (
            "show terse tasks like 'A%' in database d starts with 'B' root only limit 5 from 'C'",
            ShowTasks(Listing(True, False, "A%", "DATABASE", name("D"), "B", 5, "C", root_only=True)),
        ),
        ("SHOW TASKS IN ACCOUNT", ShowTasks(Listing(scope="ACCOUNT"))),
        ("SHOW TASKS IN SCHEMA LIMIT 1", ShowTasks(Listing(scope="SCHEMA", limit=1))),
        ("SHOW TASKS IN d.s", ShowTasks(Listing(scope="", within=name("D.S")))),
        ("SHOW PARAMETERS LIKE 'U%' IN TASK t", ShowTaskParameters(name("T"), "U%")),
        ("EXECUTE TASK t", ExecuteTask(name("T"))),
        ('EXECUTE TASK t USING CONFIG = $${"a":1}$$', ExecuteTask(name("T"), UsingConfig('{"a":1}'))),
        ("EXECUTE TASK t RETRY LAST", ExecuteTask(name("T"), RetryLast())),
        ("EXECUTE TASK t RETRY GRAPH RUN GROUP 'g'", ExecuteTask(name("T"), RetryGroup("g"))),
        ("EXECUTE TASK IDENTIFIER('d.s.\"t\"')", ExecuteTask(Name(("D", "S", "t")))),
    ],
)
def test_statements(sql: str, expected: Statement) -> None:
    assert read(sql) == expected


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1", "CREATE TABLE task (a INT)", "SHOW PARAMETERS IN SESSION", "EXECUTE IMMEDIATE 'x'", ""],
)
def test_other_statements_are_left_alone(sql: str) -> None:
    assert read(sql) is None


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TASK t",
        "CREATE TASK t AS",
        "CREATE TASK AS select 1",
        "CREATE OR REPLACE TASK IF NOT EXISTS t AS x",
        "CREATE TASK t WAREHOUSE w AS x",
        "CREATE TASK t WHEN AS x",
        "ALTER TASK t",
        "ALTER TASK t SET",
        "ALTER TASK t SET AFTER a",
        "ALTER TASK t RESUME NOW",
        "DROP TASK",
        "EXECUTE TASK t RETRY",
        "EXECUTE TASK t USING CONFIG 'x'",
        "SHOW TASKS LIKE a",
    ],
)
def test_mistakes_are_told(sql: str) -> None:
    with pytest.raises(SqlSyntaxError, match=r"syntax error line 1 at position|are incompatible"):
        parse_statement(sql)
