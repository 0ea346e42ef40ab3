"""Reads a target of the project without a pipeline."""

from __future__ import annotations

from pathlib import Path

from sfml.base.diagnostic import Diagnostic, has_errors
from sfml.base.errors import InvalidSpec, UsageError
from sfml.base.quoting import folded
from sfml.graph.decode_pool import new_pool
from sfml.graph.model import Mode, Target
from sfml.spec.compose import compose
from sfml.spec.expressions import evaluated
from sfml.spec.names import Git, declared_environment, login_name
from sfml.spec.nodes import MapNode, entries_of, map_of, plain, text_of
from sfml.spec.project import PROJECT_FILE, chosen_target, project_root, with_local_defaults
from sfml.spec.shape import shape_findings
from sfml.spec.text import read_text

_KEYS = (
    "kind",
    "connection",
    "account",
    "owner_role",
    "database",
    "schema",
    "warehouse",
    "compute_pool",
    "stage",
)


def target_alone(start: Path, wanted: str | None, user: str | None = None) -> tuple[Path, Target]:
    """The project's root and its target. Settings that depend on the pipeline's name are left empty.

    Raises `InvalidSpec` for a project file with errors, `UsageError` if there is no project.
    """
    root = project_root(start)
    if root is None:
        raise UsageError(
            f"no `{PROJECT_FILE}` here or above", help="go to a project, or make one: `sfml init`"
        )
    text = read_text(root / PROJECT_FILE, PROJECT_FILE)
    if isinstance(text, Diagnostic):
        raise InvalidSpec((text,))
    node, read = compose(text, PROJECT_FILE)
    findings = [*read, *(shape_findings(node, "project.schema.json") if node is not None else ())]
    document = map_of(node)
    if document is None or has_errors(findings):
        raise InvalidSpec(tuple(findings))
    chosen = chosen_target(document, wanted)
    if isinstance(chosen, Diagnostic):
        raise InvalidSpec((chosen,))
    name, _, settings = chosen
    kept = {key: value for key, _, value in entries_of(settings) if "pipeline" not in str(plain(value))}
    own = {key: value for key, value in kept.items() if key in (*_KEYS, "mode", "create")}
    names = {"user": user or login_name(), "env": declared_environment(document), "git": Git(root)}
    resolved = evaluated(MapNode(own, settings.key_spans, settings.span, settings.path), names, findings)
    assert isinstance(resolved, MapNode)
    if has_errors(findings):
        raise InvalidSpec(tuple(findings))
    values = {key: text_of(value) for key, _, value in entries_of(with_local_defaults(resolved, ""))}
    texts = {key: folded(value) for key in _KEYS if (value := values.get(key))}
    target = Target(
        name=name,
        kind="local" if values.get("kind") == "local" else "account",
        database=texts.get("database", ""),
        schema=texts.get("schema", "") if "schema" in own else "",
        warehouse=texts.get("warehouse", ""),
        stage=texts.get("stage", "SFML"),
        connection=values.get("connection"),
        account=values.get("account"),
        owner_role=texts.get("owner_role"),
        compute_pool=texts.get("compute_pool"),
        mode=Mode(values.get("mode") or "development"),
        new_pool=new_pool(resolved.get("create"), findings),
    )
    return root, target
