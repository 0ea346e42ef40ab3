"""The private names and words of Snowflake's clients that are read, each with the rule that rests on it."""

from __future__ import annotations

import importlib.util

import pytest

from sfml_local.core.nested_statements import OF_CLIENT
from sfml_local.services.stages.present_files import STREAMS


def test_tasks_of_a_dag_can_be_written_out() -> None:
    """snowflake/dag.py compares what the client would send with what we send."""
    from snowflake.core.task import Cron, Task
    from snowflake.core.task.dagv1 import DAG, DAGTask

    with DAG("d", schedule=Cron("0 0 * * *", "UTC"), warehouse="w") as dag:
        task = DAGTask("t", "SELECT 1", warehouse="w")
    for node in (dag, task):
        assert hasattr(node, "_to_low_level_task"), "snowflake/dag.py: sfml export --dag compares by it"
        low = node._to_low_level_task()
        assert isinstance(low, Task)
        assert "name" in low._to_rest_model().to_dict(), "snowflake/dag.py: the fields that the client sends"


@pytest.mark.parametrize(
    ("module", "rule"),
    [
        (
            "snowflake.ml.jobs._utils.scripts.mljob_launcher",
            "local/job_runs.py: starts a job whose payload lacks it",
        ),
        (
            "snowflake.ml.model._packager.model_packager",
            "local/models/predictors.py: imports it before it forks",
        ),
        (
            "snowflake.snowpark._internal.compiler.plan_compiler",
            "local/processes/warm_parent.py: imports it before it forks",
        ),
    ],
)
def test_a_private_module_is_where_it_was(module: str, rule: str) -> None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    assert spec is not None, f"Snowflake moved {module}: {rule}"


def test_active_sessions_are_in_the_set_from_which_snowpark_takes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """testing/open_clients.py closes those that a test left open."""
    from snowflake.snowpark import context, session

    kept = object()
    monkeypatch.setattr(session, "_active_sessions", {kept})  # nothing in this folder opens a session
    assert context.get_active_session() is kept, "testing/open_clients.py finds no session"


def test_the_connector_lists_what_is_open() -> None:
    """testing/open_clients.py closes what a test left open."""
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.connection import _connections_registry

    rule = "testing/open_clients.py closes what a test left open"
    connection = SnowflakeConnection.__new__(SnowflakeConnection)
    _connections_registry.add_connection(connection)
    assert connection in [reference() for reference in _connections_registry._connections.data], rule
    _connections_registry.remove_connection(connection)
    assert connection not in [reference() for reference in _connections_registry._connections.data], rule


def test_a_statement_that_is_interrupted_is_cancelled_by_the_connection_within_its_network_timeout() -> None:
    """snowflake/connection.py bounds how long Ctrl-C waits: it replaces `_cancel_query` and sets `_network_timeout`."""
    import inspect

    from snowflake.connector import SnowflakeConnection, cursor

    rule = "snowflake/connection.py: Ctrl-C ends a statement although the account does not answer"
    parameters = list(inspect.signature(SnowflakeConnection._cancel_query).parameters)
    assert parameters == ["self", "sql", "request_id"], rule
    connection = SnowflakeConnection.__new__(SnowflakeConnection)
    connection._network_timeout = 7
    assert connection.network_timeout == 7, rule
    assert "._cancel_query(" in inspect.getsource(cursor), rule


def test_the_connector_can_be_asked_again_for_the_libraries_that_it_was_imported_without() -> None:
    """snowflake/light_connector.py hides pandas and boto at the import, and puts them back as it finds them."""
    import snowflake.connector.options as options
    import snowflake.core._options as core

    pandas, pyarrow, has_pandas = options._import_or_missing_pandas_option()
    assert (pandas.__name__, pyarrow.__name__, has_pandas) == ("pandas", "pyarrow", True)
    botocore, boto3, has_boto = options._import_or_missing_boto_option()
    assert (botocore.__name__, boto3.__name__, has_boto) == ("botocore", "boto3", True)
    assert {"pandas", "pyarrow", "botocore", "boto3"} <= vars(options).keys()
    snowpark, has_snowpark = core._import_or_missing_snowpark()
    assert (snowpark.__name__, has_snowpark) == ("snowflake.snowpark", True)
    assert {"snowpark", "installed_snowpark"} <= vars(core).keys()


def test_the_connector_can_be_told_not_to_send_the_names_of_modules() -> None:
    """local/processes/worker.py tells it: a setting of another name would be left aside without a word."""
    from snowflake.connector.connection import DEFAULT_CONFIGURATION

    assert DEFAULT_CONFIGURATION["log_imported_packages_in_telemetry"] == (True, bool)


def test_the_session_of_the_connector_can_carry_other_requests() -> None:
    """snowflake/rest.py sends GETs as the connector does: its address, its token, its renewal, its kind of login."""
    import inspect

    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.network import SnowflakeRestful

    rest = SnowflakeRestful("localhost", 8123, "http")
    assert (rest._host, rest._port, rest._protocol) == ("localhost", 8123, "http")
    assert list(inspect.signature(SnowflakeRestful._renew_session).parameters) == ["self"]
    assert "_external_session_id" in inspect.getsource(SnowflakeRestful), (
        "what PAT_WITH_EXTERNAL_SESSION sends"
    )
    assert "_authenticator" in inspect.getsource(SnowflakeConnection), "which kind of login it is"


def test_snowpark_and_the_connector_write_what_statements_of_theirs_are_told_by() -> None:
    """services/stages/present_files.py: where a stream is; core/nested_statements.py: what `write_pandas` makes."""
    import inspect

    from snowflake.connector import pandas_tools
    from snowflake.snowpark._internal.server_connection import ServerConnection

    assert f"{STREAMS}/{{dest_filename}}" in inspect.getsource(ServerConnection.upload_stream)
    source = inspect.getsource(pandas_tools)
    assert f"STAGE {OF_CLIENT}" in source and f'"{OF_CLIENT}' in source, (
        "what it makes a stage and a format with"
    )
