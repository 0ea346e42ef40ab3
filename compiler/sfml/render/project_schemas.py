"""The JSON Schemas with the names of a project, for editors that have no server of ours.

Names are proposed and nothing is refused that was not: a name stands in an `enum` beside the text that was allowed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sfml.base.record import record
from sfml.base.resources import schema as load_schema
from sfml.catalog.model import StepFunction
from sfml.frontend.reading import Reading
from sfml.graph.declared_tests import STATES
from sfml.graph.model import OnPool, OnWarehouse
from sfml.spec.nodes import plain

Schema = dict[str, Any]

_TOLD = ("title", "description", "examples", "default")


@record
class ProjectNames:
    """The names that files of a project may use."""

    steps: tuple[str, ...]
    tasks: tuple[str, ...]
    targets: tuple[str, ...]
    config: tuple[str, ...]
    variables: tuple[str, ...]
    pools: tuple[str, ...]
    warehouses: tuple[str, ...]


def project_names(
    readings: Iterable[Reading], steps: Iterable[StepFunction], targets: Iterable[str]
) -> ProjectNames:
    """The names in pipelines that could be resolved, each once, in order."""
    tasks: dict[str, None] = {}
    config: dict[str, None] = {}
    variables: dict[str, None] = {}
    pools: dict[str, None] = {}
    warehouses: dict[str, None] = {}
    for reading in readings:
        spec, graph = reading.loaded.spec, reading.graph
        if spec is not None:
            tasks |= dict.fromkeys([*(task.name for task in (*spec.tasks, *spec.finalizers)), *spec.groups])
            values = plain(spec.config)
            config |= dict.fromkeys(values if isinstance(values, dict) else ())
            variables |= dict.fromkeys(spec.variables)
        for node in graph.all_tasks if graph is not None else ():
            if isinstance(node.run_on, OnPool):
                pools[node.run_on.pool] = None
            elif isinstance(node.run_on, OnWarehouse):
                warehouses[node.run_on.warehouse] = None
    return ProjectNames(
        steps=tuple(step.name for step in steps),
        tasks=tuple(tasks),
        targets=tuple(targets),
        config=tuple(config),
        variables=tuple(variables),
        pools=tuple(pools),
        warehouses=tuple(warehouses),
    )


def project_schemas(names: ProjectNames, files: Sequence[str]) -> dict[str, Schema]:
    """File name of a schema → the schema with the names in it."""
    schemas = {file: copy.deepcopy(load_schema(file)) for file in files}
    _in_job(schemas["job_config.schema.json"], names)
    _in_pipeline(schemas["pipeline.schema.json"], names)
    _in_tests(schemas["tests.schema.json"], names)
    return schemas


def _in_job(schema: Schema, names: ProjectNames) -> None:
    schema["properties"]["overridable"]["items"] = _proposed(
        schema["properties"]["overridable"]["items"], names.config
    )
    moved = schema["properties"]["moved"]["items"]["properties"]
    moved["to"] = _proposed(moved["to"], names.tasks)
    settings = schema["$defs"]["task_settings"]["properties"]
    settings["step"] = _proposed(settings["step"], names.steps)
    settings["after"] = _proposed(settings["after"], names.tasks)
    settings["outcomes"] = _proposed(settings["outcomes"], names.tasks)
    for one in schema["$defs"]["run_on"]["oneOf"]:
        for key, known in (("pool", names.pools), ("warehouse", names.warehouses)):
            if key in one.get("properties", {}):
                one["properties"][key] = _proposed(one["properties"][key], known)
    patch = schema["$defs"]["graph_patch"]["properties"]
    _with_keys(patch["tasks"], names.tasks)
    _with_keys(patch["config"], names.config)


def _in_pipeline(schema: Schema, names: ProjectNames) -> None:
    targets = schema["properties"]["targets"]
    _with_keys(targets["additionalProperties"]["properties"]["variables"], names.variables)
    _with_keys(targets, names.targets)


def _in_tests(schema: Schema, names: ProjectNames) -> None:
    run = schema["$defs"]["run"]["properties"]
    _with_keys(run["given"], names.tasks)
    for key in STATES:
        run[key] = _proposed(run[key], names.tasks)
    for kind in ("run", "schedule"):
        properties = schema["$defs"][kind]["properties"]
        if "targets" in properties:
            properties["targets"] = _proposed(properties["targets"], names.targets)


def _with_keys(schema: Schema, names: Iterable[str]) -> None:
    """Let a mapping of any names propose these."""
    own: Mapping[str, Any] = schema.get("properties", {})
    rest = schema["additionalProperties"]
    schema["properties"] = {**{name: rest for name in names if name not in own}, **own}


def _proposed(schema: Schema, names: Sequence[str]) -> Schema:
    """The schema with the names beside every text in it."""
    if not names:
        return schema
    if _is_text(schema):
        told = {key: schema[key] for key in _TOLD if key in schema}
        return {**told, "anyOf": [{"enum": list(names)}, schema]}
    changed: Schema = dict(schema)
    if "items" in changed:
        changed["items"] = _proposed(changed["items"], names)
    if isinstance(changed.get("additionalProperties"), dict):
        changed["additionalProperties"] = _proposed(changed["additionalProperties"], names)
    for keyword in ("anyOf", "oneOf"):
        if keyword in changed:
            changed[keyword] = [_proposed(one, names) for one in changed[keyword]]
    return changed


def _is_text(schema: Schema) -> bool:
    types = schema.get("type", ())
    return "string" in ([types] if isinstance(types, str) else types) and "enum" not in schema
