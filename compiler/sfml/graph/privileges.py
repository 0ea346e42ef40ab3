"""The least privileges that a graph needs: for the role that deploys it, the one that runs it, and readers.

https://docs.snowflake.com/en/user-guide/tasks-intro (task security) · /sql-reference/sql/create-task
/developer-guide/snowflake-ml/ml-jobs/access-control-requirements
/developer-guide/snowflake-ml/model-registry/model-management
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from sfml.base.quoting import dotted, folded
from sfml.base.record import record
from sfml.graph.alerts import INTEGRATION_TYPES
from sfml.graph.general_steps import COMPARING, PROMOTING, model_names, step_of, watched_places
from sfml.graph.model import (
    GraphSettings,
    NotifyBody,
    OnPool,
    Serverless,
    StepBody,
    Target,
    TaskGraph,
    TaskNode,
)
from sfml.graph.needs import Kind, Need, needs_of, resolved

_PARTS = re.compile(r'"(?:[^"]|"")+"|[^.]+', re.DOTALL)


class Purpose(StrEnum):
    """What a role does with a graph.

    The role that creates a task owns it and runs it, so deploying and running is done by one role, unless ownership is
    transferred.
    """

    DEPLOYING = "deploying"
    RUNNING = "running"
    READING = "reading"


@record
class Privilege:
    """One privilege on one object. `on` is its kind; `name` is folded and qualified, and empty for the account.

    The kind `TASKS` stands for all present and future tasks of the schema or database `name`.
    """

    privilege: str
    on: str
    name: str
    why: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Privilege, kind and name as SHOW GRANTS writes them: COMPUTE_POOL for COMPUTE POOL."""
        return self.privilege, self.on.replace(" ", "_"), self.name

    def grant(self, role: str) -> str:
        """The GRANT statement; for tasks, two statements for all present and future tasks of the schema."""
        to = f"TO ROLE {dotted(role)}"
        if self.on == "ACCOUNT":
            return f"GRANT {self.privilege} ON ACCOUNT {to}"
        if self.on in ("TASK", "TASKS"):
            parts = _PARTS.findall(self.name)
            place = ".".join(parts[:-1] if self.on == "TASK" else parts)
            kind = "SCHEMA" if self.on == "TASK" or len(parts) > 1 else "DATABASE"
            return (
                f"GRANT {self.privilege} ON ALL TASKS IN {kind} {dotted(place)} {to};\n"
                f"GRANT {self.privilege} ON FUTURE TASKS IN {kind} {dotted(place)} {to}"
            )
        # Procedures can be overloaded, so the user has to fill in the types.
        types = "(…)" if self.on == "PROCEDURE" else ""
        return f"GRANT {self.privilege} ON {self.on} {dotted(self.name)}{types} {to}"


def privileges_of(graph: TaskGraph, purpose: Purpose, root: str) -> tuple[Privilege, ...]:
    """The privileges for a purpose, without duplicates; `root` is the root task's name in Snowflake.

    A privilege that is needed for several reasons keeps the first one.
    """
    privileges = {
        Purpose.DEPLOYING: _deploying,
        Purpose.RUNNING: _running,
        Purpose.READING: _reading,
    }[purpose](graph, root)
    unique: dict[tuple[str, str, str], Privilege] = {}
    for privilege in privileges:
        unique.setdefault(privilege.key, privilege)
    return tuple(unique.values())


def undeclared(graph: TaskGraph) -> tuple[str, ...]:
    """The tasks whose tables are not known, because they declare neither `reads` nor `writes`."""
    return tuple(
        node.name
        for node in graph.all_tasks
        if not (node.reads or node.writes or isinstance(node.body, NotifyBody) or _is_known_step(node))
    )


def not_known(graph: TaskGraph) -> tuple[str, ...]:
    """The privileges that are needed on objects which a graph does not name, in words."""
    return tuple(_not_known(graph))


def _not_known(graph: TaskGraph) -> Iterator[str]:
    channels = graph.settings.alerts.channels if graph.settings.alerts else ()
    webhooks = [folded(one.integration) for one in channels if INTEGRATION_TYPES[one.kind] == "webhook"]
    if webhooks:
        yield f"READ on the secrets that the integrations {', '.join(dict.fromkeys(webhooks))} name, if they do"
    watching = dict.fromkeys(node.name for node, _ in watched_places(graph))
    if watching:
        yield (
            f"USAGE on the integrations that the pipelines watched by {', '.join(watching)} name in their `alerts`"
        )


def _is_known_step(node: TaskNode) -> bool:
    """Whether the task runs a general step of sfml, which uses only the pipeline's stage and registry."""
    return isinstance(node.body, StepBody) and node.body.step.startswith(
        ("sfml_steps.registry.", "sfml_steps.cleanup.", "sfml_steps.gate.", "sfml_steps.alerting.")
    )


def _usage_of_schema(target: Target, why: str) -> Iterator[Privilege]:
    yield Privilege("USAGE", "DATABASE", folded(target.database), why)
    yield Privilege("USAGE", "SCHEMA", _schema(target), why)


def _schema(target: Target) -> str:
    return f"{folded(target.database)}.{folded(target.schema)}"


def _stage(target: Target) -> str:
    return resolved(target, target.stage)


def _deploying(graph: TaskGraph, root: str) -> Iterator[Privilege]:
    target = graph.target
    yield from _usage_of_schema(target, "to work in the schema")
    yield Privilege(
        "CREATE TASK",
        "SCHEMA",
        _schema(target),
        "to create the tasks, also those of parts of runs and of backfills",
    )
    yield Privilege(
        "CREATE STAGE", "SCHEMA", _schema(target), "for the stage, which it then owns, and for leases"
    )
    for need in needs_of(graph):
        if need.kind is Kind.WAREHOUSE:
            yield Privilege("USAGE", "WAREHOUSE", need.name, "to create tasks that name it")
        elif need.kind is Kind.NOTIFICATION and need.usage == "queue":
            yield Privilege("USAGE", "INTEGRATION", need.name, "to name it in `alerts`")
    yield from _for_serverless(graph, "to create serverless tasks")
    yield from _for_users(graph)
    yield from _for_settings(graph)


def _running(graph: TaskGraph, root: str) -> Iterator[Privilege]:
    target = graph.target
    yield from _usage_of_schema(target, "to run in the schema")
    yield Privilege("EXECUTE TASK", "ACCOUNT", "", "to run tasks; only ACCOUNTADMIN grants it")
    yield from _for_serverless(graph, "to run serverless tasks")
    needs = needs_of(graph)
    own_tables = {need.name for need in needs if need.kind is Kind.TABLE and need.usage == "write"}
    for need in needs:
        if need.kind is Kind.TABLE and _is_within(need.name, target):
            yield from _for_own_table(need, own_tables, target)
        else:
            yield from _for_need(need)
    if any(isinstance(node.run_on, OnPool) for node in graph.all_tasks):
        yield Privilege("CREATE SERVICE", "SCHEMA", _schema(target), "to run ML Jobs")
    yield from _for_models(graph)
    yield from _for_watching(graph)
    yield from _for_users(graph)


def _reading(graph: TaskGraph, root: str) -> Iterator[Privilege]:
    target = graph.target
    yield from _usage_of_schema(target, "to look into the schema")
    yield Privilege("MONITOR", "TASK", resolved(target, root), "to see the tasks and their history")
    yield Privilege("USAGE", "WAREHOUSE", folded(target.warehouse), "to query the history")
    why = "to see deployments and what runs left, once the first apply has made it"
    yield Privilege("READ", "STAGE", _stage(target), why)
    for need in needs_of(graph):
        if need.kind is Kind.STREAM:
            yield from _for_need(need)
    for _, model in model_names(graph):
        why = "to see its versions, once the first promotion has made it"
        yield Privilege("USAGE", "MODEL", resolved(target, model), why)


def _for_models(graph: TaskGraph) -> Iterator[Privilege]:
    """The privileges of steps that log versions, or read their metrics; a role owns the models that it logs.

    https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/model-management
    """
    target = graph.target
    models = {node.name: resolved(target, model) for node, model in model_names(graph)}
    logged: set[str] = set()
    for node in graph.all_tasks:
        if step_of(node).startswith(PROMOTING):
            model = models.get(node.name, resolved(target, "ANY"))
            schema = ".".join(_PARTS.findall(model)[:-1])
            logged.add(model)
            yield from _usage_of_place(target, schema, f"{node.name}: for {model}")
            yield Privilege("CREATE MODEL", "SCHEMA", schema, f"{node.name}: to log models")
    for node in graph.all_tasks:
        model = models.get(node.name, "")
        if step_of(node) == COMPARING and model and model not in logged:
            yield from _usage_of_place(
                target, ".".join(_PARTS.findall(model)[:-1]), f"{node.name}: for {model}"
            )
            yield Privilege("USAGE", "MODEL", model, f"{node.name}: to read the metrics of its versions")


def _for_watching(graph: TaskGraph) -> Iterator[Privilege]:
    """The privileges on other places of a task that watches them; a role owns the tasks that it creates."""
    target = graph.target
    for node, written in watched_places(graph):
        place = ".".join(folded(part) for part in _PARTS.findall(written.strip()))
        if place == _schema(target):
            continue
        yield from _usage_of_place(target, place, f"{node.name}: to look there")
        yield Privilege("MONITOR", "TASKS", place, f"{node.name}: to see the pipelines that it watches")
        if len(_PARTS.findall(place)) > 1:
            stage = f"{place}.{_PARTS.findall(_stage(target))[-1]}"
            yield Privilege("READ", "STAGE", stage, f"{node.name}: to see which runs were recovered by parts")


def _usage_of_place(target: Target, place: str, why: str) -> Iterator[Privilege]:
    """USAGE on a database, or a schema and its database, other than the schema of the target."""
    if place == _schema(target):
        return
    database, *schema = _PARTS.findall(place)
    yield Privilege("USAGE", "DATABASE", database, why)
    if schema:
        yield Privilege("USAGE", "SCHEMA", place, why)


def _for_serverless(graph: TaskGraph, why: str) -> Iterator[Privilege]:
    places = (graph.settings.run_on, *(node.run_on for node in graph.all_tasks))
    if any(isinstance(place, Serverless) for place in places):
        yield Privilege("EXECUTE MANAGED TASK", "ACCOUNT", "", why)


def _owners(graph: TaskGraph) -> tuple[GraphSettings | TaskNode, ...]:
    return (graph.settings, *graph.all_tasks)


def _for_users(graph: TaskGraph) -> Iterator[Privilege]:
    for owner in _owners(graph):
        if owner.execute_as_user:
            name = folded(owner.execute_as_user)
            yield Privilege("IMPERSONATE", "USER", name, "to run tasks as this user")


def _for_settings(graph: TaskGraph) -> Iterator[Privilege]:
    """The privileges for log levels, tags and contacts."""
    owners = _owners(graph)
    if any(owner.log_level for owner in owners):
        yield Privilege("MODIFY LOG LEVEL", "ACCOUNT", "", "to set `log_level`")
    for owner in owners:
        for tag in owner.tags:
            yield Privilege("APPLY", "TAG", resolved(graph.target, tag), "to set `tags`")
        for contact in owner.contacts.values():
            yield Privilege("APPLY", "CONTACT", resolved(graph.target, contact), "to set `contacts`")


def _is_within(name: str, target: Target) -> bool:
    return name.startswith(f"{_schema(target)}.")


def _for_own_table(need: Need, own_tables: set[str], target: Target) -> Iterator[Privilege]:
    """The privileges for a table in the pipeline's schema.

    A table that a task of the graph creates is owned by the role that runs it, which needs no privilege to read it.
    """
    by = ", ".join(need.by)
    if need.usage == "write":
        yield Privilege("CREATE TABLE", "SCHEMA", _schema(target), f"{by}: to write {need.name}")
    elif need.name not in own_tables:
        yield Privilege("SELECT", "TABLE", need.name, f"{by}: to read it")


_OF_KIND = {
    Kind.WAREHOUSE: (("USAGE",), "WAREHOUSE", "to run on it"),
    Kind.POOL: (("USAGE",), "COMPUTE POOL", "to run ML Jobs on it"),
    Kind.NOTIFICATION: (("USAGE",), "INTEGRATION", "to send notifications"),
    Kind.ACCESS: (("USAGE",), "INTEGRATION", "to reach the network"),
    Kind.SECRET: (("READ",), "SECRET", "to read the secret"),
    Kind.STREAM: (("SELECT",), "STREAM", "to see whether there is data"),
    Kind.PROCEDURE: (("USAGE",), "PROCEDURE", "to call it"),
}


def _for_need(need: Need) -> Iterator[Privilege]:
    """The privileges that running needs on an object of another schema, and on that schema and its database."""
    more = f" and {len(need.by) - 3} more" if len(need.by) > 3 else ""
    by = f"{', '.join(need.by[:3])}{more}: " if need.by else ""
    if need.kind is Kind.TABLE:
        privileges = (
            ("SELECT",) if need.usage == "read" else ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
        )
        on, why = "TABLE", f"to {need.usage} it"
    elif need.kind in _OF_KIND:
        privileges, on, why = _OF_KIND[need.kind]
    else:
        return
    parts = _PARTS.findall(need.name)
    if len(parts) == 3:
        yield Privilege("USAGE", "DATABASE", parts[0], f"{by}for {need.name}")
        yield Privilege("USAGE", "SCHEMA", ".".join(parts[:2]), f"{by}for {need.name}")
    for privilege in privileges:
        yield Privilege(privilege, on, need.name, f"{by}{why}")
