"""The project file: where it is, its steps roots, and its targets by name."""

from __future__ import annotations

from pathlib import Path

from sfml.base.diagnostic import Diagnostic, did_you_mean
from sfml.base.source import Span
from sfml.spec.nodes import MapNode, Node, ScalarNode, entries_of, located, map_of, plain, texts_of
from sfml.spec.paths import inside

PROJECT_FILE = "sfml.yaml"

_LOCAL_DEFAULTS = {"database": "SFML", "warehouse": "LOCAL_WH", "compute_pool": "LOCAL_POOL"}


def project_root(start: Path) -> Path | None:
    """The nearest folder at or above `start` that holds a project file."""
    here = start.resolve()
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    return None


def step_roots(document: MapNode, root: Path) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    """The folders that hold step code, relative to the root; a missing one is a finding."""
    node = document.get("steps")
    if node is None:
        return (("steps",) if (root / "steps").is_dir() else ()), ()
    roots: list[str] = []
    findings: list[Diagnostic] = []
    for item in texts_of(node):
        folder = inside(root, item)
        if isinstance(folder, Diagnostic):
            findings.append(folder)
        elif not (root / folder).is_dir():
            message = f"there is no folder `{item.value}`"
            findings.append(Diagnostic.error("SF121", message, at=item.span, path=item.path))
        else:
            roots.append(folder)
    return tuple(roots), tuple(findings)


def chosen_target(document: MapNode, wanted: str | None) -> tuple[str, Span, MapNode] | Diagnostic:
    """The name, span and settings of the target to use, or the finding that says why there is none.

    `wanted` is the name from the command line. A project without targets has one named `local`, of kind local.
    """
    whole = document.key_spans.get("targets", Span.whole(PROJECT_FILE))
    targets = {name: (at, _mapping(node)) for name, at, node in entries_of(document.get("targets"))}
    if not targets:
        implied = located({"kind": "local"}, whole, "targets.local")
        assert isinstance(implied, MapNode)
        targets = {"local": (whole, implied)}
    defaults = [name for name, (_, node) in targets.items() if _is_true(node.get("default"))]
    if len(defaults) > 1:
        at = targets[defaults[1]][0]
        message = f"both `{defaults[0]}` and `{defaults[1]}` are the default target"
        path = f"targets.{defaults[1]}.default"
        return Diagnostic.error("SF134", message, at=at, path=path, help="keep one `default: true`")
    if wanted is not None:
        if wanted in targets:
            return (wanted, *targets[wanted])
        help = did_you_mean(wanted, targets) or f"targets of this project: {_names(targets)}"
        return Diagnostic.error(
            "SF134", f"there is no target `{wanted}`", at=whole, path="targets", help=help
        )
    if not defaults and len(targets) > 1:
        return Diagnostic.error(
            "SF134",
            "no target is the default",
            at=whole,
            path="targets",
            help=f"choose one with --target ({_names(targets)}), or write `default: true` in one",
        )
    name = defaults[0] if defaults else next(iter(targets))
    return (name, *targets[name])


def with_local_defaults(target: MapNode, pipeline: str) -> MapNode:
    """The target with the defaults of every target (schema, stage, kind), and those of a local one."""
    extra: dict[str, str] = {"schema": pipeline.upper(), "stage": "SFML", "kind": "account"}
    if plain(target.entries["kind"]) == "local" if "kind" in target.entries else False:
        extra = {**extra, **_LOCAL_DEFAULTS}
    missing: dict[str, Node] = {
        key: ScalarNode(value, target.span, target.path)
        for key, value in extra.items()
        if key not in target.entries
    }
    return MapNode({**target.entries, **missing}, target.key_spans, target.span, target.path)


def _mapping(node: Node) -> MapNode:
    return map_of(node) or MapNode({}, {}, node.span, node.path)


def _is_true(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and node.value is True


def _names(targets: dict[str, tuple[Span, MapNode]]) -> str:
    return ", ".join(f"`{name}`" for name in targets)
