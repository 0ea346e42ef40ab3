"""Reads what an account charged from its ACCOUNT_USAGE views, each by itself: a role may see some and not others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sfml.base.errors import AccountError
from sfml.base.quoting import literal, raw
from sfml.cost.actual import Attributed
from sfml.graph.model import Target
from sfml.snowflake.sql import records

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

T = TypeVar("T")

_TAG = "TRY_PARSE_JSON(QUERY_TAG):sfml"
"""Tasks set their QUERY_TAG to this object, with the pipeline, the task and, in steps, the run."""


class Metering:
    """The views of one account. `missing` collects those that cannot be read, with the account's sentence."""

    def __init__(self, connection: SnowflakeConnection, days: int) -> None:
        self._connection = connection
        self._since = f"DATEADD('DAY', -{int(days)}, CURRENT_TIMESTAMP())"
        self.missing: list[str] = []

    def attributed(self, pipelines: Sequence[str]) -> tuple[Attributed, ...] | None:
        """https://docs.snowflake.com/en/sql-reference/account-usage/query_attribution_history"""

        def read() -> tuple[Attributed, ...]:
            found = self._rows(
                f"SELECT {_TAG}:pipeline::VARCHAR AS PIPELINE, {_TAG}:task::VARCHAR AS TASK, WAREHOUSE_NAME,"
                f" SUM(CREDITS_ATTRIBUTED_COMPUTE) AS CREDITS, COUNT(DISTINCT {_TAG}:run::VARCHAR) AS RUNS"
                " FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_ATTRIBUTION_HISTORY"
                f" WHERE START_TIME >= {self._since} AND QUERY_TAG LIKE '%\"sfml\"%'"
                " GROUP BY 1, 2, 3"
            )
            return tuple(
                Attributed(
                    str(row["PIPELINE"]),
                    row["TASK"],
                    str(row["WAREHOUSE_NAME"]),
                    float(row["CREDITS"] or 0),
                    int(row["RUNS"] or 0),
                )
                for row in found
                if row["PIPELINE"] in pipelines
            )

        return self._view("QUERY_ATTRIBUTION_HISTORY", read)

    def warehouses(self, names: Sequence[str]) -> Mapping[str, float] | None:
        """https://docs.snowflake.com/en/sql-reference/account-usage/warehouse_metering_history"""
        return self._sums("WAREHOUSE_METERING_HISTORY", "WAREHOUSE_NAME", "CREDITS_USED_COMPUTE", names)

    def pools(self, names: Sequence[str]) -> Mapping[str, float] | None:
        """https://docs.snowflake.com/en/sql-reference/account-usage/snowpark_container_services_history"""
        return self._sums("SNOWPARK_CONTAINER_SERVICES_HISTORY", "COMPUTE_POOL_NAME", "CREDITS_USED", names)

    def serverless(self, target: Target, names: Sequence[str]) -> Mapping[str, float] | None:
        """https://docs.snowflake.com/en/sql-reference/account-usage/serverless_task_history"""
        where = f" AND DATABASE_NAME = {literal(raw(target.database))} AND SCHEMA_NAME = {literal(raw(target.schema))}"
        return self._sums("SERVERLESS_TASK_HISTORY", "TASK_NAME", "CREDITS_USED", names, where)

    def _sums(
        self, view: str, name: str, credits: str, names: Sequence[str], where: str = ""
    ) -> Mapping[str, float] | None:
        if not names:
            return {}
        listed = ", ".join(literal(one) for one in names)

        def read() -> Mapping[str, float]:
            found = self._rows(
                f"SELECT {name} AS NAME, SUM({credits}) AS CREDITS FROM SNOWFLAKE.ACCOUNT_USAGE.{view}"
                f" WHERE START_TIME >= {self._since} AND {name} IN ({listed}){where} GROUP BY 1"
            )
            return {str(row["NAME"]): float(row["CREDITS"] or 0) for row in found}

        return self._view(view, read)

    def _view(self, view: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except AccountError as error:
            self.missing.append(f"{view}: {' '.join(error.message.split())}")
            return None

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        return records(self._connection, sql)
