"""The fixture in somebody else's project: found by its entry point, isolated, and free until it is used."""

from __future__ import annotations

import gc
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import fork_server
import pytest

from sfml.base.errors import SfmlError
from sfml.testing.local_snowflake import NAMES, LocalSnowflake

if TYPE_CHECKING:
    from sfml.testing.local_snowflake import SharedServer

pytest_plugins = ["pytester"]


def passed(pytester: pytest.Pytester, *, from_nothing: bool = False, **counts: int) -> pytest.RunResult:
    """Run the tests of the project in a process of their own; a forked one has imported the clients already."""
    if from_nothing:
        result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    else:
        words = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
        began = time.monotonic()
        done = fork_server.run(words, cwd=pytester.path, env=os.environ, timeout=300)
        lines, errors = done.stdout.splitlines(), done.stderr.splitlines()
        result = pytest.RunResult(done.returncode, lines, errors, time.monotonic() - began)
    result.assert_outcomes(**counts)
    return result


def test_a_project_needs_no_conftest_and_every_test_has_its_own_database(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_first(local_snowflake):
            cursor = local_snowflake.connection().cursor()
            cursor.execute("CREATE TABLE T AS SELECT 1 AS A")
            assert cursor.execute("SELECT CURRENT_SCHEMA()").fetchone() == ("PUBLIC",)
            assert local_snowflake.session().table("T").collect()[0].A == 1
            cursor.execute('CREATE DATABASE "other"')

        def test_second(local_snowflake):
            assert local_snowflake.sql("SHOW TABLES") == []
            databases = [row["name"] for row in local_snowflake.sql("SHOW DATABASES")]
            assert sorted(databases) == ["SFML", local_snowflake.database]

        def test_third(local_snowflake):
            local_snowflake.faults.fail("SELECT", times=None)
            local_snowflake.clock.advance()

        def test_nothing_of_a_test_is_left_to_the_next(local_snowflake):
            assert local_snowflake.calls == ()
            assert local_snowflake.connection().cursor().execute("SELECT 1").fetchone() == (1,)
        """
    )
    passed(pytester, passed=4)


def test_tests_without_the_fixture_import_nothing_of_snowflake(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_quick():
            heavy = {"snowflake.connector", "fakesnow", "duckdb", "starlette", "pandas", "sfml_local"}
            assert heavy & set(sys.modules) == set()
            assert "sfml.pytest_plugin" in sys.modules
        """
    )
    passed(pytester, passed=1, from_nothing=True)


def test_without_the_packages_the_fixture_says_what_to_install(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(local_snowflake): pass")
    pytester.makeconftest(
        """
        import importlib.util
        found = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *more: None if name == "fakesnow" else found(name, *more)
        import sfml.pytest_plugin
        sfml.pytest_plugin.find_spec = importlib.util.find_spec
        """
    )
    result = passed(pytester, errors=1, from_nothing=True)
    result.stdout.fnmatch_lines(['*pip install "sfml-snowflake[[]local[]]"*'])


def test_schedules_fire_as_the_clock_advances(local_snowflake: LocalSnowflake) -> None:
    local_snowflake.clock.hold(datetime(2026, 3, 1, tzinfo=UTC))
    cursor = local_snowflake.connection().cursor()
    cursor.execute("CREATE TABLE SEEN (N INT)")
    cursor.execute(
        "CREATE TASK WEEKLY SCHEDULE = 'USING CRON 0 4 * * 1 UTC' AS INSERT INTO SEEN SELECT COUNT(*) FROM SEEN"
    )
    cursor.execute("ALTER TASK WEEKLY RESUME")
    local_snowflake.clock.advance(timedelta(days=14))
    assert local_snowflake.sql("SELECT N FROM SEEN ORDER BY N") == [{"N": 0}, {"N": 1}]
    assert local_snowflake.clock() == datetime(2026, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize("round", [1, 2])
def test_the_history_begins_with_the_test(local_snowflake: LocalSnowflake, round: int) -> None:
    history = "SELECT * FROM TABLE(INFORMATION_SCHEMA.TASK_HISTORY())"
    assert local_snowflake.sql(history) == []
    cursor = local_snowflake.connection().cursor()
    cursor.execute("CREATE TASK T AS SELECT 1")
    cursor.execute("EXECUTE TASK T")
    deadline = time.monotonic() + 20
    while [row["STATE"] for row in local_snowflake.sql(history)] != ["SUCCEEDED"]:
        assert time.monotonic() < deadline, "the task never ran"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("sql", "command"), [("/* a */ put file://{} @~", "PUT"), ("GET @~ file://{}", "GET")]
)
def test_a_transfer_needs_a_client(
    local_snowflake: LocalSnowflake, tmp_path: Path, sql: str, command: str
) -> None:
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(SfmlError, match=f"{command} transferred nothing") as refused:
        local_snowflake.sql(sql.format(tmp_path / ("a.txt" if command == "PUT" else "")))
    assert "connection().cursor()" in str(refused.value.help)


def test_the_clock_goes_with_the_machine_until_it_is_held(local_snowflake: LocalSnowflake) -> None:
    first = local_snowflake.clock()
    assert abs(datetime.now(UTC) - first) < timedelta(seconds=10)
    assert local_snowflake.clock() > first
    held = local_snowflake.clock.hold()
    assert local_snowflake.clock() == held
    with pytest.raises(ValueError, match="time zone"):
        local_snowflake.clock.hold(datetime(2026, 3, 1))


def test_what_is_left_open_is_found_without_a_search_of_all_objects(
    local_snowflake_server: SharedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking at all objects of a large process takes longer than most tests."""
    import snowflake.connector
    from snowflake.snowpark import Session

    local = LocalSnowflake(local_snowflake_server)
    alone = snowflake.connector.connect(**local.connect_args())
    session = Session.builder.configs(local.connect_args()).create()
    monkeypatch.setattr(gc, "get_objects", lambda *generation: pytest.fail("all objects are searched"))
    local.close()
    assert alone.is_closed()
    assert session.connection.is_closed()


def test_the_name_of_a_database_comes_again_with_nothing_in_it_and_not_at_once(
    local_snowflake_server: SharedServer,
) -> None:
    names = []
    for _ in range(NAMES + 1):
        local = LocalSnowflake(local_snowflake_server)
        names.append(local.database)
        local.sql("CREATE TABLE T (N INT)")  # refused if it is there
        local.close()
    assert len(set(names)) == NAMES and names[-1] == names[0]


def test_databases_at_the_same_time_have_different_names(local_snowflake_server: SharedServer) -> None:
    try:
        assert len({local_snowflake_server.new_database() for _ in range(NAMES * 2)}) == NAMES * 2
    finally:
        local_snowflake_server.clean()


def test_a_run_that_goes_on_ends_with_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pathlib, time

        def test_leaves_a_run(local_snowflake):
            cursor = local_snowflake.connection().cursor()
            cursor.execute("CREATE TASK SLOW AS SELECT SYSTEM$WAIT(600)")
            cursor.execute("EXECUTE TASK SLOW")

        def test_is_not_disturbed(local_snowflake):
            assert local_snowflake.sql("SHOW TASKS") == []
        """
    )
    result = passed(pytester, passed=2)
    assert result.duration < 60


def test_what_a_test_leaves_open_is_closed_before_the_server_stops(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def shared(local_snowflake_server):
            from snowflake.snowpark import Session
            arguments = local_snowflake_server.local.connect_args()
            return Session.builder.configs(arguments).create()  # and never closed

        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish(session):
            from snowflake.snowpark import session as snowpark
            import test_open
            assert snowpark._active_sessions == set()
            assert all(connection.is_closed() for connection in test_open.OPEN)
            print("nothing is open")
        """
    )
    pytester.makepyfile(
        test_open="""
        import pytest

        OPEN = []

        def test_leaves_open(shared, local_snowflake):
            import snowflake.connector
            from snowflake.snowpark import Session
            arguments = local_snowflake.connect_args()
            on_closed = Session.builder.configs({"connection": local_snowflake.connection()}).create()
            closed = Session.builder.configs({"connection": snowflake.connector.connect(**arguments)}).create()
            closed.connection.close()
            alone = snowflake.connector.connect(**arguments)
            of_own = Session.builder.configs(arguments).create()
            OPEN.extend([alone, closed.connection, on_closed.connection, of_own.connection])

        def test_sees_nothing_of_it(shared, local_snowflake):
            from snowflake.snowpark.context import get_active_session
            assert get_active_session() is shared
            assert shared.sql("SELECT 1 AS A").collect()[0].A == 1
            assert all(connection.is_closed() for connection in OPEN)
            import snowflake.connector
            elsewhere = snowflake.connector.connect(**local_snowflake.connect_args(database="SFML"))
            OPEN.extend([elsewhere, shared.connection])
        """
    )
    result = passed(pytester, passed=2)
    result.stdout.fnmatch_lines(["*nothing is open*"])


def test_ignored_statements_do_nothing_until_the_test_ends(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        import snowflake.connector

        def test_ignoring(local_snowflake):
            local_snowflake.ignore("delete from nowhere", r"create table ignored\\b")
            local_snowflake.sql("  DELETE FROM nowhere WHERE TRUE")
            local_snowflake.sql("CREATE TABLE IGNORED (A INT)")
            local_snowflake.sql("CREATE TABLE IGNORED_NOT (A INT)")
            assert [row["name"] for row in local_snowflake.sql("SHOW TABLES")] == ["IGNORED_NOT"]
            with pytest.raises(ValueError, match="no regular expression"):
                local_snowflake.ignore("(")

        def test_the_next_one_cares(local_snowflake):
            with pytest.raises(snowflake.connector.errors.ProgrammingError):
                local_snowflake.connection().cursor().execute("DELETE FROM nowhere WHERE TRUE")
        """
    )
    passed(pytester, passed=2)
