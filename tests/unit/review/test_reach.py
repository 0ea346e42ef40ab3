"""What a change can reach: never a pipeline too few, however a file is named, and few too many."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sfml.review.git_objects import LINK, GitEntry
from sfml.review.reach import needed, place_of, project_of, reached

PROJECT = "version: 1\nsteps: [steps]\ntargets: {local: {kind: local}, prod: {account: A}}\n"
STEP = "from sfml_steps import step\n\n\n@step\ndef run(session): ...\n"
FILES: Mapping[str, str] = {
    "ml/sfml.yaml": PROJECT,
    "ml/specs/a.yaml": "pipeline: a\ngraph: a/job.yaml\nschedule: a/when.yaml\nseeds: {T: ../data/t.csv}\n",
    "ml/specs/a/job.yaml": "tasks:\n  one: {step: a.train.run}\n  two: {sql: {file: ../../sql/two.sql}}\n",
    "ml/specs/a/when.yaml": "schedule: manual\n",
    "ml/specs/b.yaml": "pipeline: b\ngraph: b/job.yaml\nschedule: {schedule: manual}\n",
    "ml/specs/b/job.yaml": "include: {tasks: ../shared/tasks.yaml}\ntasks:\n  one: {step: b.train.run}\n",
    "ml/specs/shared/tasks.yaml": "tasks:\n  job: {job: {folder: ../../jobs/fit, entrypoint: main.py}}\n",
    "ml/sql/two.sql": "select 2",
    "ml/sql/unused.sql": "select 3",
    "ml/data/t.csv": "1",
    "ml/jobs/fit/main.py": "print(1)\n",
    "ml/jobs/fit/deep/params.json": "{}",
    "ml/steps/a/__init__.py": "",
    "ml/steps/a/train.py": f"from common.tools import mean\n{STEP}",
    "ml/steps/b/__init__.py": '__data_files__ = ["queries/*.sql"]\n',
    "ml/steps/b/train.py": f"from . import helpers\n{STEP}",
    "ml/steps/b/helpers.py": "import common\n",
    "ml/steps/b/queries/load.sql": "select 4",
    "ml/steps/common/__init__.py": "",
    "ml/steps/common/tools.py": "from .deep import stats\n",
    "ml/steps/common/deep/__init__.py": "",
    "ml/steps/common/deep/stats.py": "def mean(): ...\n",
    "ml/steps/common/unused.py": "import json\n",
    "README.md": "about ml/specs/a.yaml",
}


def reach(changed: str, more: Mapping[str, str] | None = None, links: tuple[str, ...] = ()) -> set[str]:
    files = {**FILES, **(more or {})}
    entries = {path: GitEntry(LINK if path in links else "100644", "0" * 40) for path in files}
    place = place_of("ml/", files["ml/sfml.yaml"], files)
    specs = {path: text for path, text in files.items() if path.endswith(".yaml") and path.startswith("ml/")}
    code = {path: text.encode() for path, text in files.items() if path.endswith(".py") and "/steps/" in path}
    pipelines = {path for path, text in files.items() if text.startswith("pipeline:")}
    found = reached(place, pipelines, {changed}, entries, specs, code)
    return {path.removeprefix("ml/specs/").removesuffix(".yaml") for path in found}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("ml/specs/a.yaml", {"a"}),
        ("ml/specs/a/job.yaml", {"a"}),
        ("ml/specs/b/job.yaml", {"b"}),
        ("ml/specs/a/when.yaml", {"a"}),
        ("ml/specs/shared/tasks.yaml", {"b"}),
        ("ml/sql/two.sql", {"a"}),
        ("ml/sql/unused.sql", set()),
        ("ml/data/t.csv", {"a"}),
        ("ml/jobs/fit/main.py", {"b"}),
        ("ml/jobs/fit/deep/params.json", {"b"}),
        ("ml/sfml.yaml", {"a", "b"}),
        ("ml/steps/a/train.py", {"a"}),
        ("ml/steps/a/__init__.py", {"a"}),
        ("ml/steps/b/helpers.py", {"b"}),
        ("ml/steps/b/queries/load.sql", {"b"}),
        ("ml/steps/common/deep/stats.py", {"a"}),
        ("ml/steps/common/__init__.py", {"a", "b"}),
        ("ml/steps/common/unused.py", set()),
        ("README.md", set()),
        ("other/sfml.yaml", set()),
    ],
)
def test_a_file_reaches_the_pipelines_that_are_made_of_it(changed: str, expected: set[str]) -> None:
    assert reach(changed) == expected


def test_a_module_that_comes_shadows_another() -> None:
    path = "ml/steps/a/train/__init__.py"
    assert reach(path, {path: STEP}) == {"a"}


def test_a_package_that_comes_changes_what_an_import_means() -> None:
    new = {"ml/steps/b/helpers.py": "import pandas\n"}
    assert "b" in reach("ml/steps/pandas/frame.py", new)  # on the side that has not the file


@pytest.mark.parametrize(
    "job",
    [
        'include: {tasks: "..\\/shared/x.yaml"}\n',
        'include: {tasks: "../shared/\\x78.yaml"}\n',
        'include:\n  tasks: "{{ var.file }}"\n',
        'include: [{tasks: "../shared/{{ var.name }}.yaml"}]\n',
        "include: {tasks: ./../shared//x.yaml}\n",
        "include: {tasks: ../b/../shared/x.yaml}\n",
        "include: {tasks: '../shared/x.yaml'}\n",
        "include: [{tasks: ../shared/y.yaml}, {tasks: ../shared/x.yaml}]\n",
        "include: &one\n  tasks: ../shared/x.yaml\n",
    ],
)
def test_however_an_include_is_written(job: str) -> None:
    more = {"ml/specs/shared/x.yaml": "tasks: {}\n", "ml/specs/b/job.yaml": job}
    assert reach("ml/specs/shared/x.yaml", more) == {"b"}


@pytest.mark.parametrize(
    "step", ['"{{ var.step }}"', '"a.{{ var.module }}.run"', '"\\x61.train.run"', "'a.train.run'"]
)
def test_however_a_step_is_written(step: str) -> None:
    assert "b" in reach("ml/steps/a/train.py", {"ml/specs/b/job.yaml": f"tasks:\n  one: {{step: {step}}}\n"})


def test_expressions_elsewhere_make_no_file_reachable() -> None:
    job = 'tasks:\n  one: {step: b.train.run, with: {x: "{{ var.x }}"}}\n'
    assert reach("ml/sql/two.sql", {"ml/specs/b/job.yaml": job}) == {"a"}


def test_a_name_that_yaml_may_fold_or_quote_reaches_all() -> None:
    assert reach("ml/sql/with space.sql") == {"a", "b"}


def test_links_make_every_name_possible() -> None:
    assert reach("ml/sql/unused.sql", {"ml/specs/link": "../sql"}, links=("ml/specs/link",)) == {"a", "b"}


def test_code_that_does_not_parse_may_import_anything() -> None:
    assert "b" in reach("ml/steps/a/train.py", {"ml/steps/b/helpers.py": "import a.train as ("})


def test_the_runtime_in_the_project_is_in_every_archive() -> None:
    path = "ml/steps/sfml_steps/__init__.py"
    assert reach(path, {path: ""}) == {"a", "b"}


def test_what_is_laid_out_is_what_the_pipelines_name() -> None:
    entries = {path: GitEntry("100644", "0" * 40) for path in FILES}
    place = place_of("ml/", PROJECT, FILES)
    specs = {path: text for path, text in FILES.items() if path.endswith(".yaml")}
    found = needed(place, ["ml/specs/b.yaml"], entries, specs)
    assert {path for path in found if "/steps/" not in path} == {
        *("ml/sfml.yaml", "ml/specs/b.yaml", "ml/specs/b/job.yaml", "ml/specs/shared/tasks.yaml"),
        *("ml/jobs/fit/main.py", "ml/jobs/fit/deep/params.json"),
    }
    assert {path for path in found if "/steps/" in path} == {path for path in FILES if "/steps/" in path}


def test_a_file_belongs_to_the_nearest_project() -> None:
    files = {"sfml.yaml", "ml/sfml.yaml"}
    assert project_of(files, "ml/specs/a.yaml") == "ml/"
    assert project_of(files, "specs/a.yaml") == ""
    assert project_of({"ml/sfml.yaml"}, "specs/a.yaml") is None


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("import importlib\nimportlib.import_module('common.plug')", "common/plug.py"),
        ("import importlib\nimportlib.import_module(f'common.{input()}')", "common/plug.py"),
        ("from importlib import resources\nresources.files('common') / 'q.sql'", "common/q.sql"),
        ("from importlib import resources\nresources.files(__package__) / 'q.sql'", "a/q.sql"),
        ("import pkgutil\npkgutil.get_data('common.deep', 'x/q.sql')", "common/deep/x/q.sql"),
        ("from common import *", "common/offered.py"),
    ],
)
def test_what_is_loaded_by_name_or_read_as_a_file_is_reached(text: str, changed: str) -> None:
    listing = "__data_files__ = ['plug*.py']\n__all__ = ['offered']\n"
    more = {"ml/steps/a/train.py": f"{text}\n{STEP}", "ml/steps/common/__init__.py": listing}
    assert "a" in reach(f"ml/steps/{changed}", {**more, f"ml/steps/{changed}": ""})
