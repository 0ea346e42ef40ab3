"""Sides that are not as they should be: what is wrong is said, the other side is shown, and nothing breaks down."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.acceptance.review_repository import Repository, repository_in

from sfml.plan.model import Action
from sfml.render.review_json import diff_json
from sfml.render.review_markdown import diff_markdown
from sfml.render.review_text import diff_text
from sfml.render.symbols import Symbols
from sfml.review.diff import Request, make_diff
from sfml.review.git_objects import repository
from sfml.review.model import Diff, Status
from sfml.review.requested_specs import requested_specs


def compared(it: Repository, *specs: str, head: str | None = None, target: str | None = None) -> Diff:
    found = repository(it.folder)
    asked = requested_specs(specs or ("specs",), found.top, it.folder)
    return make_diff(found, Request("main", head, asked, target, {}, None, None))


def project(text: str) -> Callable[[Repository], None]:
    return lambda it: it.write("sfml.yaml", text)


def entry(text: str) -> Callable[[Repository], None]:
    return lambda it: it.write("specs/report.yaml", text)


def raw(path: str, content: bytes) -> Callable[[Repository], None]:
    def write(it: Repository) -> None:
        (it.folder / path).write_bytes(content)

    return write


def as_folder(it: Repository, path: str) -> None:
    (it.folder / path).unlink()
    it.write(f"{path}/inside", "1")


ODD: dict[str, Callable[[Repository], None]] = {
    "no project": lambda it: (it.folder / "sfml.yaml").unlink(),
    "empty project": project(""),
    "project is a list": project("- 1\n"),
    "project is not YAML": project("targets: {a: [\n"),
    "steps is a mapping": project("version: 1\nsteps: {a: 1}\n"),
    "targets is a list": project("version: 1\ntargets: [a]\n"),
    "steps lead out": project("version: 1\nsteps: [../..]\ntargets: {local: {kind: local}}\n"),
    "entry is empty": entry(""),
    "entry is a bomb": entry(
        "pipeline: r\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, 30))
    ),
    "entry is not UTF-8": raw("specs/report.yaml", b"pipeline: \xff\xfe\n"),
    "entry holds NUL": raw("specs/report.yaml", b"pipeline: r\x00\n"),
    "entry is large": raw("specs/report.yaml", b"pipeline: r\n" + b"#" * 2_000_000),
    "entry is a folder": lambda it: as_folder(it, "specs/report.yaml"),
    "graph is a loop": lambda it: it.edit(
        "specs/report.yaml", "{tasks: {", "{include: {tasks: report.yaml}, tasks: {"
    ),
    "step does not parse": lambda it: it.write("steps/churn/train.py", "def ("),
    "step is gone": lambda it: (it.folder / "steps/churn/train.py").unlink(),
    "SQL is gone": lambda it: (it.folder / "sql/publish.sql").unlink(),
    "schedule is gone": lambda it: (it.folder / "specs/churn/schedule_config.yaml").unlink(),
}


def with_odd_side(folder: Path, name: str, *, is_base: bool) -> Repository:
    """A repository in which `mended` follows, or else leads to, what is odd; it is what is checked out."""
    it = repository_in(folder)
    ODD[name](it)
    it.commit("Something odd")
    if is_base:
        it.git("checkout", "-q", "-b", "mended")
        it.git("revert", "--no-edit", "HEAD")
    else:
        it.git("branch", "-f", "mended")
        it.git("update-ref", "refs/heads/main", "HEAD~1")
        it.git("checkout", "-q", "mended")
    return it


@pytest.fixture(scope="module")
def odd_repository(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bool], Repository]:
    """Makes each repository once: a comparison only reads it."""
    return cache(lambda name, is_base: with_odd_side(tmp_path_factory.mktemp("odd"), name, is_base=is_base))


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("is_base", [False, True], ids=["head", "base"])
@pytest.mark.parametrize("committed", [False, True], ids=["work tree", "commit"])
def test_an_odd_side_is_told_and_breaks_nothing(
    odd_repository: Callable[[str, bool], Repository], name: str, is_base: bool, committed: bool
) -> None:
    it = odd_repository(name, is_base)
    found = compared(it, head="mended" if committed else None)
    assert it.git("status", "--porcelain") == ""
    broken = [one for one in found.pipelines if one.status is not Status.UNCHANGED]
    assert broken, "it is a change of a pipeline, or of whether it compiles"
    for one in broken:
        assert one.base_findings or one.head_findings or one.status in (Status.ADDED, Status.REMOVED)
    assert diff_text(found, Symbols()) and diff_markdown(found) and diff_json(found)


def test_a_target_that_comes_and_one_that_goes(tmp_path: Path) -> None:
    it = repository_in(tmp_path)
    it.edit("sfml.yaml", "  prod:\n", "  live:\n")
    it.edit("specs/churn.yaml", "  prod: {variables", "  live: {variables")
    found = {one.target: one.status for one in compared(it, "specs/churn.yaml").pipelines[0].targets}
    assert found == {"local": Status.UNCHANGED, "live": Status.ADDED, "prod": Status.REMOVED}


def test_one_target_alone(tmp_path: Path) -> None:
    it = repository_in(tmp_path)
    it.edit("specs/churn.yaml", "threshold: 0.75", "threshold: 0.6")
    assert not compared(it, target="prod").is_empty
    assert compared(it, target="local").is_empty


def test_a_new_name_of_a_pipeline_leaves_the_old_graph_where_it_is(tmp_path: Path) -> None:
    it = repository_in(tmp_path)
    it.edit("sfml.yaml", 'schema: "{{ pipeline }}"', "schema: SHARED")
    it.commit("Share a schema")
    it.edit("specs/report.yaml", "pipeline: report", "pipeline: reporting")
    (found,) = compared(it, target="prod").pipelines
    (prod,) = found.targets
    assert {change.action for change in prod.changes} == {Action.CREATE}
    assert any("the graph in ML_PROD.SHARED keeps its schedule" in risk.message for risk in prod.risks)
