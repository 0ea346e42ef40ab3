"""Graphs of SQL tasks, and the ways in which a server may render them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from sfml.base.quoting import raw
from sfml.graph.model import (
    CronSchedule,
    GraphSettings,
    IntervalSchedule,
    OnWarehouse,
    Serverless,
    SqlBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.lower.lower import lower

TARGET = Target("prod", "account", "ML_PROD", "CLV", "ML_WH")

names_of_warehouses = st.sampled_from(["ml_wh", "ML_WH", '"My Wh"', '"dotted.wh"', '"MyWh"'])
scalars = st.one_of(st.booleans(), st.integers(-5, 5), st.sampled_from(["", "text", "it's", "TRUE"]))
schedules = st.one_of(
    st.builds(IntervalSchedule, st.integers(1, 100).map(lambda n: n * 60)),
    st.builds(
        CronSchedule, st.sampled_from(["0 0 * * 0", "*/5 6-18 * jan-mar Mon"]), st.just("Europe/Berlin")
    ),
)
places = st.one_of(
    st.builds(OnWarehouse, names_of_warehouses),
    st.builds(
        Serverless, st.sampled_from([None, "MEDIUM", "SMALL"]), st.none(), st.sampled_from([None, "XXLARGE"])
    ),
)


@st.composite
def graphs(draw: st.DrawFn) -> DesiredGraph:
    count = draw(st.integers(1, 4))
    tasks = tuple(
        TaskNode(
            f"t{at}",
            SqlBody(draw(st.sampled_from(["select 'A  b'", "begin\n  select 1;\nend"]))),
            draw(places),
            after=tuple(
                sorted(draw(st.sets(st.sampled_from([f"t{n}" for n in range(at)]) if at else st.nothing())))
            ),
            when=draw(st.sampled_from([None, "SYSTEM$PREDECESSORS_STATE('ALL_DONE') and 1=1"])),
            timeout=draw(st.sampled_from([None, 3600, 90])),
            session_parameters=draw(st.dictionaries(st.sampled_from(["a", "B"]), scalars, max_size=2)),
            comment=draw(st.sampled_from([None, "what it does"])),
        )
        for at in range(count)
    )
    graph = TaskGraph(
        "clv",
        "specs/clv.yaml",
        TARGET,
        GraphSettings(
            draw(schedules),
            draw(st.sampled_from(["NO_OVERLAP", "ALLOW_CHILD_OVERLAP"])),
            draw(st.sampled_from([0, 2])),
            suspend_after_failures=draw(st.sampled_from([None, 10, 0])),
            on_error=draw(st.sampled_from([None, "ml_errors", '"Errors"'])),
        ),
        tasks,
        finalizer=TaskNode("clean", SqlBody("select 1"), draw(places), is_finalizer=True)
        if draw(st.booleans())
        else None,
        description=draw(st.sampled_from([None, "two\nlines"])),
        config=draw(st.dictionaries(st.sampled_from(["a", "b", "c"]), scalars)),
    )
    return lower(graph, lambda step: (), "0.1.0")


class Server:
    """Renders a task in any of the ways that a server may choose."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def one_of(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def name(self, folded: str, *, qualified: bool = True) -> str:
        plain = not folded.startswith('"')
        written = self.one_of(folded, f'"{folded}"', folded.lower()) if plain else folded
        return (
            self.one_of(written, f"ML_PROD.CLV.{written}", f'"ML_PROD".clv.{written}')
            if qualified
            else written
        )

    def optional(self, folded: str | None) -> str | None:
        if folded is None:
            return self.one_of(None, "", "null")
        shown = self.name(folded, qualified=False)
        return self.one_of(shown, raw(shown)) if folded.startswith('"') else shown

    def filled(self, value: Any, default: Any) -> Any:
        return self.one_of(None, default) if value in (None, default) else value

    def spaced(self, text: str) -> str:
        return self.one_of("", " ", "\n") + text + self.one_of("", ";", " ;\n", "\n")

    def schedule(self, value: object) -> Any:
        match value:
            case CronSchedule(cron, zone):
                return self.one_of(
                    {
                        "schedule_type": "CRON_TYPE",
                        "cron_expr": cron.replace(" ", "  "),
                        "timezone": zone.lower(),
                    },
                    f"using cron {cron.lower()} {zone}",
                )
            case IntervalSchedule(seconds):
                minutes = seconds // 60
                unit = self.one_of("MINUTE", "MINUTES", "m", "minute")
                return self.one_of({"minutes": minutes}, f"{minutes} {unit}", f"{seconds} SECONDS")
            case _:
                return self.one_of(None, "null", "")

    def parameters(self, given: Any) -> Any:
        return {
            self.one_of(name, name.lower()): self.one_of(value, str(value).upper())
            if isinstance(value, bool)
            else self.one_of(value, str(value))
            for name, value in self.permuted(given)
        }

    def permuted(self, mapping: Any) -> list[tuple[str, Any]]:
        return list(self.draw(st.permutations(sorted((mapping or {}).items()))))

    def render(self, task: DesiredTask) -> dict[str, Any]:
        assert isinstance(task.definition, SqlDefinition)
        child = bool(task.predecessors or task.finalize)
        predecessors = [self.name(name) for name in self.draw(st.permutations(task.predecessors))]
        config = dict(self.permuted(task.config))
        serverless = task.warehouse is None
        return {
            "name": self.name(task.name, qualified=False),
            "id": "1",
            "state": self.one_of("started", "STARTED"),
            "definition": self.spaced(task.definition.sql),
            "comment": task.comment if task.comment else self.one_of(None, ""),
            "predecessors": self.one_of(predecessors, json.dumps(predecessors))
            if predecessors
            else self.one_of(None, [], "[]"),
            "finalize": self.name(task.finalize) if task.finalize else self.one_of(None, ""),
            "condition": self.one_of(task.condition, task.condition.replace(" and ", "\n  AND  "))
            if task.condition
            else self.one_of(None, ""),
            "warehouse": self.optional(task.warehouse),
            "schedule": self.schedule(task.schedule),
            "config": self.one_of(config, json.dumps(config)) if config else self.one_of(None, {}, ""),
            "overlap_policy": self.one_of(None, "NO_OVERLAP") if child else task.overlap_policy,
            "allow_overlapping_execution": None,
            "task_auto_retry_attempts": self.filled(task.task_auto_retry_attempts, 0),
            "suspend_task_after_num_failures": self.one_of(None, 10, "10")
            if child
            else self.filled(task.suspend_task_after_num_failures, 10),
            "user_task_timeout_ms": self.filled(task.user_task_timeout_ms, 3_600_000),
            "error_integration": self.one_of(None, "ML_ERRORS")
            if child
            else self.optional(task.error_integration),
            "success_integration": self.optional(task.success_integration),
            "session_parameters": self.parameters(task.session_parameters),
            "execute_as_user": self.optional(task.execute_as_user),
            "user_task_managed_initial_warehouse_size": self.filled(
                task.user_task_managed_initial_warehouse_size, "MEDIUM"
            )
            if serverless
            else self.one_of(None, "MEDIUM"),
            "serverless_task_min_statement_size": self.filled(
                task.serverless_task_min_statement_size, "X-Small"
            ),
            "serverless_task_max_statement_size": self.filled(
                task.serverless_task_max_statement_size, "X2LARGE"
            ),
            "target_completion_interval": None,
        }
