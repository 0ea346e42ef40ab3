"""A pipeline for one target: check, compile, connect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.api.findings import Findings
from sfml.api.graph import Artefact, Graph
from sfml.base.diagnostic import has_errors
from sfml.spec.names import login_name

if TYPE_CHECKING:
    from snowflake.core.task.dagv1 import DAG

    from sfml.api.account import Account
    from sfml.frontend.compiled_spec import CompiledSpec
    from sfml.frontend.reading import Reading


class Pipeline:
    """One pipeline of a project. Its files are read once, at the first use; to read them again, make a new object."""

    def __init__(
        self, file: Path, name: str, *, target: str | None, variables: Mapping[str, str], user: str | None
    ) -> None:
        self.file = file
        """The entry file."""
        self.name = name
        self._wanted = target
        self._variables = variables
        self._user = user or login_name()

    @property
    def target(self) -> str | None:
        """The target's name; None when no target was named and the project has no default."""
        return self._reading.target

    def check(self) -> Findings:
        """All findings, as of `sfml validate`: for the named target, or else for every target of the project."""
        from sfml.frontend.reading import may_have_policies, read_targets
        from sfml.frontend.shared_findings import distinct_findings

        readings = read_targets(self.file, target=self._wanted, variables=self._variables, user=self._user)
        if any(map(may_have_policies, readings)):
            from sfml.frontend.team_policies import with_policies

            readings = tuple(with_policies(readings))
        sources = {name: text for reading in readings for name, text in reading.sources.items()}
        targets = tuple(dict.fromkeys(reading.target for reading in readings if reading.target))
        return Findings(distinct_findings(readings), sources, targets)

    @property
    def graph(self) -> Graph:
        """The compiled graph. Raises `InvalidSpec` with every finding if the spec has errors."""
        compiled_spec = self._opened
        assert compiled_spec.reading.graph is not None
        return Graph(compiled_spec.reading.graph, compiled_spec.desired)

    def compile(self, folder: Path | str | None = None, *, page: bool = False) -> Artefact:
        """Write manifest, SQL, diagram and step archives; with `page` also `graph.html` and `graph.svg`.

        They are written into `folder`, by default `build/<pipeline>/<target>` in the project. Raises `InvalidSpec`.
        """
        from sfml.lower.write import write

        compiled_spec, graph = self._opened, self.graph
        desired = compiled_spec.desired
        place = (
            Path(folder) if folder else compiled_spec.root / "build" / desired.pipeline / desired.target.name
        )
        pictures = {"graph.svg": graph.svg(), "graph.html": graph.page()} if page else None
        return Artefact(place, write(desired, place, graph.mermaid(), pictures), graph)

    def dag(self) -> DAG:
        """The graph as a `snowflake.core.task.dagv1.DAG` with its `DAGTask` and `DAGTaskBranch` objects.

        The body of an ML Job is a placeholder, because the account generates the real one when the job is registered.
        """
        from sfml.snowflake.dag import dag

        return dag(self._opened.desired)

    @contextmanager
    def connect(self) -> Iterator[Account]:
        """Connect to the pipeline's target. For a local target, start its server if none runs, and stop it at the end.

        Raises `InvalidSpec` if the spec has errors, and `ConnectionFailed` if the account does not answer.
        """
        from sfml.api.account import connected_account

        with connected_account(self._opened, self._user) as account:
            yield account

    @cached_property
    def _reading(self) -> Reading:
        from sfml.frontend.reading import read

        return read(self.file, target=self._wanted, variables=self._variables, user=self._user)

    @cached_property
    def _opened(self) -> CompiledSpec:
        from sfml.frontend.compiled_spec import CompiledSpec, desired_graph

        reading = self._reading
        if reading.graph is None or has_errors(reading.diagnostics):
            targets = (reading.target,) if reading.target else ()
            Findings(reading.diagnostics, reading.sources, targets).raise_for_errors()
        return CompiledSpec(reading, desired_graph(reading))

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}: {self.file.as_posix()}, target {self._wanted or 'default'}>"

    def _repr_html_(self) -> str:
        findings = self.check()
        return findings._repr_html_() if findings.errors else self.graph.svg()
