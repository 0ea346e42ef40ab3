"""Two ways to the same account, with one set of words: Snowflake's REST API and SQL."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

Setting = Any
LITERAL = ("comment", "config", "query_tag")


class Refused(Exception):
    """What an account refuses: its code as six digits, its sentence, in REST the status."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class Run:
    """A graph run as the account tells of it."""

    state: str
    first_error_task_name: str | None
    graph_version: int
    run_id: int


class Door(ABC):
    """What may be done to tasks. Names are bare; settings have the names of the REST API."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        self.connection = connection

    @abstractmethod
    def create(self, name: str, mode: str = "errorIfExists", **settings: Setting) -> None: ...
    @abstractmethod
    def put(self, name: str, **settings: Setting) -> None: ...
    @abstractmethod
    def drop(self, name: str, if_exists: bool = False) -> None: ...
    @abstractmethod
    def resume(self, name: str) -> None: ...
    @abstractmethod
    def suspend(self, name: str) -> None: ...
    @abstractmethod
    def execute(self, name: str, retry_last: bool = False) -> None: ...
    @abstractmethod
    def fetch(self, name: str) -> dict[str, Any]: ...
    @abstractmethod
    def names(self, **filters: Any) -> list[str]: ...
    @abstractmethod
    def dependents(self, name: str, recursive: bool = True) -> list[str]: ...
    @abstractmethod
    def runs(self, name: str, *, complete: bool, error_only: bool = False) -> list[Run]: ...

    # -- what REST has no words for

    def query(self, statement: str) -> list[dict[str, Any]]:
        from snowflake.connector import DictCursor
        from snowflake.connector.errors import ProgrammingError

        try:
            return list(self.connection.cursor(DictCursor).execute(statement))  # type: ignore[arg-type]
        except ProgrammingError as error:
            raise Refused(f"{error.errno:06d}", str(error.raw_msg or error.msg)) from error

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.02)

    def settled(self, name: str) -> None:
        """Wait until nothing of the graph executes or waits."""
        busy = ("EXECUTING", "SCHEDULED")
        self.until(lambda: not any(run.state in busy for run in self.runs(name, complete=False)))

    def history(self, root: str) -> list[dict[str, Any]]:
        """The rows of the root's graph in TASK_HISTORY, the latest first; earlier tasks of its name are others."""
        root_id = self.fetch(root)["id"]
        return self.query(
            "SELECT * FROM TABLE(SFML.INFORMATION_SCHEMA.TASK_HISTORY("
            f"ROOT_TASK_ID => '{root_id}', RESULT_LIMIT => 1000)) ORDER BY RUN_ID DESC, ATTEMPT_NUMBER DESC"
        )

    def states(self, root: str) -> dict[str, str]:
        """Task → state in the latest attempt of the latest run."""
        rows = [row for row in self.history(root) if row["STATE"] not in ("SCHEDULED", "EXECUTING")]
        latest = max((row["RUN_ID"], row["ATTEMPT_NUMBER"]) for row in rows)
        return {row["NAME"]: row["STATE"] for row in rows if (row["RUN_ID"], row["ATTEMPT_NUMBER"]) == latest}

    def clear(self) -> None:
        """Leave nothing behind: the root first, for nothing changes under a started one."""
        rows = self.query("SHOW TASKS IN SCHEMA sfml.public")
        for row in [row for row in rows if row["predecessors"] == "[]" and row["state"] == "started"]:
            if "FinalizedRootTask" not in row["task_relations"]:
                self.query(f'ALTER TASK "{row["name"]}" SUSPEND')
        for row in rows:
            self.query(f'DROP TASK IF EXISTS "{row["name"]}"')


class Rest(Door):
    """The task resource over plain HTTP."""

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and JSON of a call below the schema's tasks; options as query parameters."""
        answer = self.open(method, f"/api/v2/databases/sfml/schemas/public/tasks{path}", body, **options)
        return answer[0], answer[2]

    def open(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any, Any]:
        rest = self.connection.rest
        assert rest is not None
        given = {key: value for key, value in options.items() if value is not None}
        request = urllib.request.Request(
            f"http://{rest._host}:{rest._port}{path}" + (f"?{urlencode(given)}" if given else ""),
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f'Snowflake Token="{rest.token}"', "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.headers, json.load(error)

    def must(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        status, answer = self.call(method, path, body, **options)
        if status not in (200, 202):
            raise Refused(answer["code"], answer["message"], status)
        return answer

    def _body(self, name: str, settings: dict[str, Setting]) -> dict[str, Any]:
        body = {"name": name, "definition": "select 1", **settings}
        if tag := body.pop("query_tag", None):
            body["session_parameters"] = {"QUERY_TAG": tag}
        minutes = body.pop("every_minutes", None)
        if minutes is not None:
            body["schedule"] = {"schedule_type": "MINUTES_TYPE", "minutes": minutes}
        if cron := body.pop("cron", None):
            expression, zone = cron.rsplit(" ", 1)
            body["schedule"] = {"schedule_type": "CRON_TYPE", "cron_expr": expression, "timezone": zone}
        return body

    def create(self, name: str, mode: str = "errorIfExists", **settings: Setting) -> None:
        self.must("POST", "", self._body(name, settings), createMode=mode)

    def put(self, name: str, **settings: Setting) -> None:
        self.must("PUT", f"/{quote(name, safe='')}", self._body(name, settings))

    def drop(self, name: str, if_exists: bool = False) -> None:
        self.must("DELETE", f"/{name}", ifExists=if_exists)

    def resume(self, name: str) -> None:
        self.must("POST", f"/{name}:resume")

    def suspend(self, name: str) -> None:
        self.must("POST", f"/{name}:suspend")

    def execute(self, name: str, retry_last: bool = False) -> None:
        self.must("POST", f"/{name}:execute", retryLast=retry_last)

    def fetch(self, name: str) -> dict[str, Any]:
        body = self.must("GET", f"/{name}")
        schedule = body.get("schedule") or {}
        return {
            "id": body["id"],
            "state": body["state"],
            "definition": body["definition"],
            "comment": body.get("comment"),
            "condition": body.get("condition"),
            "warehouse": body.get("warehouse"),
            "config": body.get("config"),
            "predecessors": body.get("predecessors", []),
            "overlap_policy": body.get("overlap_policy"),
            "minutes": schedule.get("minutes"),
            "cron": f"{schedule['cron_expr']} {schedule['timezone']}" if "cron_expr" in schedule else None,
            "relations": json.loads(body["task_relations"]),
            "committed": "last_committed_on" in body,
        }

    def names(self, **filters: Any) -> list[str]:
        words = {"like": "like", "starts_with": "startsWith", "limit": "showLimit"}
        words |= {"from_name": "fromName", "root_only": "rootOnly"}
        return [task["name"] for task in self.must("GET", "", **{words[k]: v for k, v in filters.items()})]

    def dependents(self, name: str, recursive: bool = True) -> list[str]:
        return [task["name"] for task in self.must("GET", f"/{name}/dependents", recursive=recursive)]

    def runs(self, name: str, *, complete: bool, error_only: bool = False) -> list[Run]:
        if complete:
            rows = self.must("GET", f"/{name}/complete-graphs", errorOnly=error_only)
        else:
            rows = self.must("GET", f"/{name}/current-graphs")
        return [
            Run(row["state"], row.get("first_error_task_name"), row["graph_version"], row["run_id"])
            for row in rows
        ]


class Sql(Door):
    """The statements about tasks through the Python connector."""

    def _clauses(self, settings: dict[str, Setting]) -> str:
        settings = dict(settings)
        definition = settings.pop("definition", "select 1")
        words = []
        if (minutes := settings.pop("every_minutes", None)) is not None:
            words.append(f"SCHEDULE = '{minutes} MINUTE'")
        if cron := settings.pop("cron", None):
            words.append(f"SCHEDULE = 'USING CRON {cron}'")
        if (config := settings.pop("config", None)) is not None:
            words.append(f"CONFIG = $${json.dumps(config)}$$")
        after, when = settings.pop("predecessors", None), settings.pop("condition", None)
        for key, value in settings.items():
            words.append(f"{key.upper()} = " + (f"$${value}$$" if key in LITERAL else str(value)))
        words += [f"AFTER {', '.join(after)}"] if after else []
        words += [f"WHEN {when}"] if when else []
        return f"{' '.join(words)} AS {definition}"

    def create(self, name: str, mode: str = "errorIfExists", **settings: Setting) -> None:
        verb = "CREATE OR REPLACE TASK" if mode == "orReplace" else "CREATE TASK"
        missing = "IF NOT EXISTS " if mode == "ifNotExists" else ""
        self.query(f"{verb} {missing}{name} {self._clauses(settings)}")

    def put(self, name: str, **settings: Setting) -> None:
        self.query(f"CREATE OR ALTER TASK {name} {self._clauses(settings)}")

    def drop(self, name: str, if_exists: bool = False) -> None:
        self.query(f"DROP TASK {'IF EXISTS ' if if_exists else ''}{name}")

    def resume(self, name: str) -> None:
        self.query(f"ALTER TASK {name} RESUME")

    def suspend(self, name: str) -> None:
        self.query(f"ALTER TASK {name} SUSPEND")

    def execute(self, name: str, retry_last: bool = False) -> None:
        self.query(f"EXECUTE TASK {name}{' RETRY LAST' if retry_last else ''}")

    def fetch(self, name: str) -> dict[str, Any]:
        [row] = self.query(f"DESCRIBE TASK {name}")
        schedule = row["schedule"] or ""
        return {
            **{
                key: row[key]
                for key in ("id", "state", "definition", "condition", "warehouse", "overlap_policy")
            },
            "comment": row["comment"] or None,
            "config": json.loads(row["config"]) if row["config"] else None,
            "predecessors": json.loads(row["predecessors"]),
            "minutes": int(schedule.split()[0]) if schedule.endswith("MINUTE") else None,
            "cron": schedule.removeprefix("USING CRON ") if schedule.startswith("USING CRON") else None,
            "relations": json.loads(row["task_relations"]),
            "committed": row["last_committed_on"] is not None,
        }

    def names(self, **filters: Any) -> list[str]:
        words = "".join(
            [
                f" LIKE '{filters['like']}'" if "like" in filters else "",
                " IN SCHEMA sfml.public",
                f" STARTS WITH '{filters['starts_with']}'" if "starts_with" in filters else "",
                " ROOT ONLY" if filters.get("root_only") else "",
                f" LIMIT {filters.get('limit', 10000)}",
                f" FROM '{filters['from_name']}'" if "from_name" in filters else "",
            ]
        )
        return [row["name"] for row in self.query(f"SHOW TASKS{words}")]

    def dependents(self, name: str, recursive: bool = True) -> list[str]:
        rows = self.query(
            "SELECT NAME FROM TABLE(INFORMATION_SCHEMA.TASK_DEPENDENTS("
            f"TASK_NAME => '{name}', RECURSIVE => {recursive}))"
        )
        return [row["NAME"] for row in rows]

    def runs(self, name: str, *, complete: bool, error_only: bool = False) -> list[Run]:
        function = "COMPLETE_TASK_GRAPHS" if complete else "CURRENT_TASK_GRAPHS"
        only = f", ERROR_ONLY => {error_only}" if complete else ""
        rows = self.query(
            f"SELECT * FROM TABLE(INFORMATION_SCHEMA.{function}(ROOT_TASK_NAME => '{name}'{only}))"
            f" WHERE ROOT_TASK_ID = '{self.fetch(name)['id']}'"
        )
        return [
            Run(row["STATE"], row["FIRST_ERROR_TASK_NAME"], row["GRAPH_VERSION"], row["RUN_ID"])
            for row in rows
        ]
