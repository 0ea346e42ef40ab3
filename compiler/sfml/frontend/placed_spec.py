"""The pipeline and target of a spec that does not compile, or of a pipeline without a spec."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sfml.base.diagnostic import has_errors
from sfml.base.errors import InvalidSpec, UsageError
from sfml.base.quoting import folded
from sfml.frontend.compiled_spec import CompiledSpec, desired_graph
from sfml.frontend.reading import Reading
from sfml.graph.decode import graph_draft
from sfml.graph.model import Target
from sfml.lower.desired import DesiredGraph, DesiredTask, SqlDefinition
from sfml.spec.project import project_root

_NO_GRAPH = "graph: {version: 1, tasks: {none: {sql: select 1}}}\nschedule: {version: 1, schedule: manual}\n"


def placed(reading: Reading) -> CompiledSpec:
    """The compiled spec; for a spec with errors, one that has only the pipeline's name, its target and its root's name.

    Raises `InvalidSpec` if these cannot be read either.
    """
    if reading.graph is not None and not has_errors(reading.diagnostics):
        return CompiledSpec(reading, desired_graph(reading))

    loaded = reading.loaded.spec
    if loaded is None:
        raise InvalidSpec(reading.diagnostics)
    draft, _ = graph_draft(loaded, reading.root)
    root = folded(draft.root_name) if draft.root_name else draft.pipeline.upper()
    return CompiledSpec(reading, _empty(draft.pipeline, draft.spec_path, draft.target, root))


@contextmanager
def without_spec(pipeline: str) -> Iterator[Path]:
    """A temporary entry file with a pipeline's name and no graph, in the project of the working directory.

    Raises UsageError outside a project.
    """
    root = project_root(Path.cwd())
    if root is None:
        raise UsageError(f"there is no file `{pipeline}`, and no project that could have such a pipeline")
    (root / ".sfml").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="restore-", dir=root / ".sfml") as folder:
        file = Path(folder) / f"{pipeline}.yaml"
        file.write_text(f"version: 1\npipeline: {pipeline}\n{_NO_GRAPH}", encoding="utf-8")
        yield file


def is_pipeline_name(text: str) -> bool:
    return text.isidentifier() and text.isascii()


def _empty(pipeline: str, spec_path: str, target: Target, name: str) -> DesiredGraph:
    """A desired graph of which only the root's name and the target are known."""
    root = DesiredTask(name, None, SqlDefinition(""), kind="root")
    return DesiredGraph(pipeline, spec_path, target, root, (), None, ())
