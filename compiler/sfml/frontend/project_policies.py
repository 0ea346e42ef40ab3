"""The policies of the project around a folder, without any of its pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sfml.base.diagnostic import Diagnostic, has_errors, moved
from sfml.base.errors import InvalidSpec, SfmlError, UsageError
from sfml.base.record import record
from sfml.frontend.reading import shown_from
from sfml.graph.model import Mode, Target
from sfml.policies.model import Policy, PolicySet
from sfml.policies.policy_set import every_preset, policies_on_disk
from sfml.policies.trust import is_trusted
from sfml.spec.compose import compose
from sfml.spec.nodes import MapNode, map_of, text_of
from sfml.spec.project import PROJECT_FILE, project_root
from sfml.spec.shape import shape_findings
from sfml.spec.text import read_text


@record
class ProjectPolicies:
    """The policies of a project, its targets, and the findings about them with paths from the working directory."""

    root: Path
    policies: PolicySet
    targets: tuple[Target, ...]
    findings: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    is_enabled: bool
    trusts_python: bool

    @property
    def is_wrong(self) -> bool:
        return has_errors(self.findings)


def project_policies(start: Path) -> ProjectPolicies:
    """The policies of the project at or above the folder.

    Raises `UsageError` outside a project, `InvalidSpec` where the project file has errors.
    """
    root = project_root(start)
    if root is None:
        raise UsageError(
            f"no `{PROJECT_FILE}` here or above", help="go to a project, or make one: `sfml init`"
        )
    prefix = shown_from(root, start.resolve())
    text = read_text(root / PROJECT_FILE, PROJECT_FILE)
    if isinstance(text, Diagnostic):
        raise InvalidSpec((moved(text, prefix),))
    node, read = compose(text, PROJECT_FILE)
    shape = shape_findings(node, "project.schema.json") if node is not None else ()
    document = map_of(node)
    if document is None or has_errors((*read, *shape)):
        raise InvalidSpec(tuple(moved(one, prefix) for one in (*read, *shape)))
    targets = tuple(_targets(document))
    policies = policies_on_disk(root, document, tuple(target.name for target in targets))
    return ProjectPolicies(
        root,
        policies,
        targets,
        tuple(moved(finding, prefix) for finding in policies.findings),
        {f"{prefix}{file}": source for file, source in {PROJECT_FILE: text, **policies.sources}.items()},
        is_enabled="policies" in document.entries,
        trusts_python=policies.settings.python and is_trusted(policies.folder),
    )


def policy_of_code(start: Path, code: str) -> Policy | None:
    """The policy with that code, of the project around the folder or of a preset; None where there is none."""
    try:
        own = project_policies(start).policies.of_code(code)
    except SfmlError:
        own = None
    presets = (policy for policies in every_preset().values() for policy in policies)
    return own or next((policy for policy in presets if policy.code == code), None)


def _targets(document: MapNode) -> list[Target]:
    """The targets as far as severities depend on them: name, kind and mode."""
    written = map_of(document.get("targets"))
    names = []
    for name, node in written.entries.items() if written is not None else ():
        settings = map_of(node)
        kind = text_of(settings.get("kind")) if settings is not None else None
        mode = text_of(settings.get("mode")) if settings is not None else None
        is_production = mode == Mode.PRODUCTION.value
        names.append(
            Target(
                name,
                "local" if kind == "local" else "account",
                *("", "", ""),
                mode=Mode.PRODUCTION if is_production else Mode.DEVELOPMENT,
            )
        )
    return names or [Target("local", "local", "", "", "")]
