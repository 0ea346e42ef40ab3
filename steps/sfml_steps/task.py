"""The SYSTEM$ functions by which a running task reads from Snowflake, and sets its return value.

They are called directly, because `snowflake.core.task.context.TaskContext` takes seconds to import in a procedure.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sfml_steps.errors import StepError

if TYPE_CHECKING:
    from snowflake.snowpark import Session

Json = Any

_NO_ANCESTOR = "is not a valid or active predecessor"
"""The words of Snowflake's error 091451, for a task that reads a task which does not run before it."""


class TaskFunctions:
    """The SYSTEM$ functions of the task that a session runs in; results and configuration are cached.

    `outcomes` maps the name of a branch in Snowflake to return value → outcome. `absent` names ancestors that are not
    there in a part of a run, because they returned nothing in the run.
    """

    def __init__(
        self,
        session: Session,
        outcomes: Mapping[str, Mapping[str, str]] | None = None,
        absent: Iterable[str] = (),
    ) -> None:
        self._session = session
        self._outcomes = outcomes or {}
        self._results: dict[str, Json] = dict.fromkeys(absent)
        self._config: Mapping[str, Json] | None = None

    def result(self, task: str) -> Json:
        """Return the result of an ancestor, by its name in Snowflake; None if it returned nothing."""
        if task not in self._results:
            self._results[task] = self._read_result(task)
        return self._results[task]

    def _read_result(self, task: str) -> Json:
        try:
            text = self._call("SYSTEM$GET_PREDECESSOR_RETURN_VALUE", task)
        except Exception as error:
            if _NO_ANCESTOR not in str(error):
                raise
            raise StepError(
                f"the result of {task} cannot be read here: no task of that name runs before this one"
            ) from error
        if not text:
            return None
        if task in self._outcomes:
            return self._outcomes[task].get(text, text)
        try:
            return json.loads(text)
        except ValueError as error:
            raise StepError(
                f"{task} returned {text[:60]!r}, which is not JSON: return JSON from it, "
                "or read it as the branch that it is"
            ) from error

    def config(self) -> Mapping[str, Json]:
        """Return the graph's configuration in this run; empty if it has none.

        `sfml run` adds a key of its own to find the run by; it is left out.
        """
        if self._config is None:
            text = self._call("SYSTEM$GET_TASK_GRAPH_CONFIG")
            config = json.loads(text) if text else {}
            self._config = {key: value for key, value in config.items() if not key.startswith("_sfml")}
        return self._config

    def run_info(self) -> tuple[str, str | None]:
        """Return the id of the graph run group, and the time for which the run was first scheduled, as ISO text."""
        group = self.runtime_info("CURRENT_TASK_GRAPH_RUN_GROUP_ID")
        if not group:
            raise StepError(
                "this runs outside a task graph: run it with `sfml run`, or test it by Context.for_test"
            )
        return str(group), moment(self.runtime_info("CURRENT_TASK_GRAPH_ORIGINAL_SCHEDULED_TIMESTAMP"))

    def runtime_info(self, key: str) -> Any:
        """Return an entry of SYSTEM$TASK_RUNTIME_INFO; None where it has no value.

        https://docs.snowflake.com/en/sql-reference/functions/system_task_runtime_info
        """
        try:
            rows: Any = self._session.sql(f"SELECT SYSTEM$TASK_RUNTIME_INFO('{key}')").collect()
        except Exception as error:
            # The function is declared to return no NULL, so an entry without a value is an error.
            if "NULL result in a non-nullable column" in str(error):
                return None
            raise
        return rows[0][0]

    def set_return_value(self, text: str) -> None:
        """Set the task's return value."""
        self._call("SYSTEM$SET_RETURN_VALUE", text)

    def _call(self, function: str, *arguments: str) -> str | None:
        value: Any = self._session.call(function, *arguments)
        return None if value is None else str(value)


def moment(value: Any) -> str | None:
    """Return a time as ISO text; Snowflake returns epoch seconds, a text, or a timestamp."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    text = str(value)
    if text.replace(".", "", 1).isdigit():
        return datetime.datetime.fromtimestamp(float(text), datetime.timezone.utc).isoformat()
    return text
