"""`manifest.json`: the desired graph as a JSON object; its schema is `schemas/output/manifest.schema.json`."""

from __future__ import annotations

import json
from typing import cast

from sfml.base.quoting import folded
from sfml.base.release import VERSION
from sfml.base.source import Span
from sfml.lower.canonical import Json, plain
from sfml.lower.desired import Archive, DesiredGraph, DesiredTask
from sfml.lower.names import stage_of
from sfml.lower.values import task_value
from sfml.semantics.redaction import redacted_tree

FORMAT_VERSION = 1


def manifest(graph: DesiredGraph) -> dict[str, Json]:
    """The manifest as a JSON object. It holds names of secrets and connections, but no secret values."""
    return {
        "format_version": FORMAT_VERSION,
        "tool": {"name": "sfml", "version": VERSION},
        "pipeline": graph.pipeline,
        "description": graph.description,
        "spec": graph.spec_path,
        "fingerprint": graph.fingerprint,
        "target": target_value(graph),
        "root": _task(graph.root),
        "tasks": [_task(task) for task in graph.tasks],
        "finalizer": _task(graph.finalizer) if graph.finalizer else None,
        "overridable": list(graph.overridable),
        "archives": [_archive(archive) for archive in graph.archives],
        "seeds": [{"table": seed.table, "file": seed.file} for seed in graph.seeds],
        "source_map": source_map(graph),
    }


def manifest_bytes(graph: DesiredGraph) -> bytes:
    """The manifest as the bytes of its file: sorted keys, indented by two spaces, a newline at the end."""
    text = json.dumps(manifest(graph), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def target_value(graph: DesiredGraph) -> dict[str, Json]:
    """The target as JSON, with folded names."""
    target = graph.target
    return {
        "name": target.name,
        "kind": target.kind,
        "account": target.account,
        "connection": target.connection,
        "owner_role": None if target.owner_role is None else folded(target.owner_role),
        "database": folded(target.database),
        "schema": folded(target.schema),
        "warehouse": folded(target.warehouse),
        "compute_pool": None if target.compute_pool is None else folded(target.compute_pool),
        "stage": stage_of(target),
        "mode": str(target.mode),
    }


def source_map(graph: DesiredGraph) -> dict[str, Json]:
    """Task → setting (empty for the task itself) → the place in the spec, `file:line`."""
    places: dict[str, Json] = {}
    for task in graph.all_tasks:
        if task.spans:
            # Expectations are used for costs, and are not deployed.
            names = (name for name in sorted(task.spans) if name.partition(".")[0] != "expect")
            places[task.name] = {name: _place(task.spans[name]) for name in names}
    return places


def _task(task: DesiredTask) -> dict[str, Json]:
    declared: dict[str, Json] = {"reads": list(task.reads), "writes": list(task.writes)}
    tables = {key: names for key, names in declared.items() if names}
    shown = cast("dict[str, Json]", redacted_tree(task_value(task)))
    return {**shown, **tables, "fingerprint": task.fingerprint}


def _archive(archive: Archive) -> dict[str, Json]:
    return {
        "sha256": archive.sha256,
        "path": f"archives/{archive.sha256}.zip",
        "stage_path": archive.stage_path,
        "size": archive.size,
        "files": [plain({"path": path, "sha256": sha256}) for path, sha256 in archive.files],
    }


def _place(span: Span) -> str:
    return f"{span.file}:{span.start.line}"
