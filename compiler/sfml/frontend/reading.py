"""Reading a spec without an account: entry file → typed graph, step catalogue and findings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfml.base.diagnostic import MAX_FINDINGS, Diagnostic, by_position, first_of, has_errors, moved, placed
from sfml.base.fixes import pinned
from sfml.base.record import record
from sfml.base.source import Span
from sfml.catalog import SourceFile, StepCatalog, folder_files
from sfml.check import findings
from sfml.frontend.entry_files import entry_files
from sfml.frontend.silencing import Silencing, silenced, silencings
from sfml.graph.build import build_graph
from sfml.graph.decode import graph_draft
from sfml.graph.draft import GraphDraft
from sfml.graph.model import TaskGraph
from sfml.semantics.conditions import decides_on_predecessors
from sfml.spec import LoadedSpec, load, targets_of
from sfml.spec.documents import ON_DISK, Documents
from sfml.spec.project import project_root

FindCatalog = Callable[[Path, tuple[str, ...]], StepCatalog]

if TYPE_CHECKING:
    from sfml.policies.model import Policy

__all__ = ["Reading", "entry_files", "may_have_policies", "project_root", "read", "read_targets"]


@record
class Reading:
    """The result of reading a spec for one target.

    `graph` is None if there are errors. `walkable` is the graph also where the only errors are values that are not set
    on some way (SF333). Files in `diagnostics` and `sources` are relative to the working directory; `prefix` is the
    part before the path in the project. Files in spans of the graph, and in `silencings`, are relative to the project's
    `root`. `used` are the silencings that applied to a finding, `accepted` the findings that were silenced. `entry` is
    the entry file, and `target` the name of the target, if it is known. `repeated` counts findings that were found
    several times in the same words. `place` gives the place in the text of a span of the graph. `policies` are those
    that were applied to it.
    """

    root: Path
    graph: TaskGraph | None
    catalog: StepCatalog
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    loaded: LoadedSpec = field(repr=False)
    prefix: str = ""
    silencings: tuple[Silencing, ...] = ()
    used: frozenset[Silencing] = frozenset()
    entry: str = ""
    target: str | None = None
    accepted: tuple[Diagnostic, ...] = ()
    repeated: Mapping[Diagnostic, int] = field(default_factory=dict)
    walkable: TaskGraph | None = None
    place: Callable[[Span], Span] = ON_DISK.place
    policies: tuple[Policy, ...] = ()

    def job_files(self, folder: str) -> tuple[SourceFile, ...]:
        """The files of a job's folder, which is relative to the project root; hidden files are left out."""
        return folder_files(self.root, folder)


def read(
    path: Path | str,
    *,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    user: str | None = None,
    cwd: Path | None = None,
    text: str | None = None,
    git: Mapping[str, str] | None = None,
    documents: Documents = ON_DISK,
    find_catalog: FindCatalog = StepCatalog,
    checked: bool = True,
) -> Reading:
    """The result of reading the pipeline whose entry file is `path`; errors in files become findings.

    `variables` are those of `--var`. `text` is read in place of the entry file, which then need not exist. `git` holds
    the values of `git.…` in expressions, for files that do not lie in their work tree; without it, they are asked of
    git. `documents` are the files, and `find_catalog` gives the step functions in folders of the project. Without
    `checked`, the rules are left out: for a graph that turns out to be one that was checked before.
    """
    path = Path(path)
    loaded = load(
        path, target=target, variables=variables, user=user, text=text, git=git, documents=documents
    )
    root = loaded.project.root if loaded.project else (project_root(path.parent) or path.parent.resolve())
    catalog = find_catalog(root, loaded.project.steps if loaded.project else ())
    diagnostics = loaded.diagnostics
    graph: TaskGraph | None = None
    walkable: TaskGraph | None = None
    if loaded.spec is not None:
        draft, decoding = graph_draft(loaded.spec, root, documents)
        diagnostics = (*diagnostics, *decoding, *(findings(draft, catalog) if checked else ()))
        if not has_errors(diagnostics):
            walkable = build_graph(draft)
            flow = (
                (*_findings_of_flow(draft, walkable, catalog), *_findings_of_budget(walkable))
                if checked
                else ()
            )
            diagnostics = (*diagnostics, *first_of(iter(flow), MAX_FINDINGS))
            graph = None if has_errors(flow) else walkable
    diagnostics = tuple(placed(diagnostic, documents.place) for diagnostic in diagnostics)
    document = loaded.project.document if loaded.project else None
    silences, problems = silencings(loaded.sources, document, _codes_of_policies(loaded))
    left = silenced(diagnostics, silences)
    if has_errors(problems):
        graph = walkable = None
    shown = shown_from(root, (cwd or Path.cwd()).resolve())
    counts = Counter(
        moved(_with_exact_fix(diagnostic, loaded.sources), shown) for diagnostic in (*left.kept, *problems)
    )
    sources = {**loaded.sources, **catalog.sources}
    return Reading(
        root=root,
        graph=graph,
        catalog=catalog,
        diagnostics=by_position(counts),
        sources={f"{shown}{file}": text for file, text in sources.items()},
        loaded=loaded,
        prefix=shown,
        silencings=silences,
        used=left.used,
        entry=loaded.file,
        target=loaded.spec.target_name if loaded.spec is not None else target,
        accepted=left.accepted,
        repeated={finding: count for finding, count in counts.items() if count > 1},
        walkable=walkable,
        place=documents.place,
    )


def _findings_of_flow(draft: GraphDraft, graph: TaskGraph, catalog: StepCatalog) -> tuple[Diagnostic, ...]:
    """The findings for values that are not set on some way through the graph.

    If every task waits until all its predecessors have succeeded, the results of all ancestors are set when it runs.
    """
    conditions = ((node.run_if, node.when) for node in graph.tasks)
    if all(
        run_if in (None, "all_succeeded") and not decides_on_predecessors(when) for run_if, when in conditions
    ):
        return ()
    from sfml.ways.unset import unset_values  # imported here to start up faster

    return tuple(unset_values(draft, graph, catalog))


def _findings_of_budget(graph: TaskGraph) -> tuple[Diagnostic, ...]:
    """The findings about the budget of a pipeline that has one."""
    if graph.budget is None:
        return ()
    from sfml.cost.budget import budget_findings  # costs start-up time

    return tuple(budget_findings(graph))


def _codes_of_policies(loaded: LoadedSpec) -> frozenset[str]:
    """The codes of the project's policies, which comments may silence."""
    project = loaded.project
    if project is None or "policies" not in project.document.entries:
        return frozenset()
    from sfml.policies.policy_set import codes_of  # most projects have no policies

    return codes_of(project.root, project.document, project.targets)


def may_have_policies(reading: Reading) -> bool:
    """Whether the reading's project has policies, or a folder of that name."""
    project = reading.loaded.project
    return project is not None and (
        "policies" in project.document.entries or (project.root / "policies").is_dir()
    )


def read_targets(
    path: Path | str,
    *,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    user: str | None = None,
) -> tuple[Reading, ...]:
    """The pipeline read for each target of its project, in the order of the targets, or for `target` only."""
    names = (target,) if target is not None else targets_of(Path(path)) or (None,)
    return tuple(read(path, target=name, variables=variables, user=user) for name in names)


def with_findings(reading: Reading, findings: tuple[Diagnostic, ...]) -> Reading:
    """The reading with further findings; files in `findings` are relative to the project root."""
    inside = (placed(finding, reading.place) for finding in findings)
    exact = (_with_exact_fix(finding, reading.loaded.sources) for finding in inside)
    more = tuple(moved(finding, reading.prefix) for finding in exact)
    return replace(reading, diagnostics=by_position((*reading.diagnostics, *more)))


def _with_exact_fix(diagnostic: Diagnostic, sources: Mapping[str, str]) -> Diagnostic:
    """The finding with the exact place of its fix; without the fix if the text to be changed does not stand there."""
    if diagnostic.fix is None:
        return diagnostic
    source = sources.get(diagnostic.fix.span.file)
    return replace(diagnostic, fix=pinned(diagnostic.fix, source) if source is not None else None)


def shown_from(root: Path, cwd: Path) -> str:
    """The prefix that makes a path relative to the project root one relative to the working directory."""
    relative = Path(os.path.relpath(root, cwd)).as_posix()
    return "" if relative == "." else f"{relative}/"
