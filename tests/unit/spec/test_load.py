"""From files to one resolved pipeline."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sfml.spec import LoadedSpec, load
from sfml.spec.nodes import plain

ROOT = Path(__file__).parents[3]
PROJECT = """
version: 1
env: [SFML_REGION]
defaults: {run_on: {warehouse: "{{ target.warehouse }}"}, timeout: 1h, schedule: {retries: 2}}
targets:
  local: {kind: local, default: true}
  prod: {database: D, schema: "{{ pipeline }}_{{ user }}", warehouse: PW, variables: {size: 2}, defaults: {timeout: 2h}}
"""
SPEC = """
version: 1
pipeline: shop
variables: {size: 1, name: "{{ target.name }}_x"}
graph:
  config: {size: "{{ var.size }}", name: "{{ var.name }}", region: "{{ env.SFML_REGION | default('none') }}"}
  tasks:
    first: {sql: "select '{{ var.size }}'", timeout: null}
    second: {sql: select 2, after: first, run_on: {serverless: {}}, tags: {a: "1"}}
schedule: {cron: "0 0 * * 0", timezone: UTC}
targets:
  prod:
    variables: {name: fixed}
    schedule: {retries: 5}
    graph: {tasks: {second: {run_on: {warehouse: OTHER}, tags: {b: "2"}}, first: {enabled: false}}}
    tasks: {second: {after: null}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sfml.yaml").write_text(PROJECT)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "shop.yaml").write_text(SPEC)
    return tmp_path


def read(project: Path, **options: Any) -> LoadedSpec:
    return load(project / "specs" / "shop.yaml", user="jane", **options)


def codes(loaded: LoadedSpec) -> list[str]:
    return [finding.code for finding in loaded.diagnostics]


def test_a_local_target_has_defaults_for_everything(project: Path) -> None:
    loaded = read(project)
    assert loaded.diagnostics == ()
    assert loaded.spec is not None
    target = plain(loaded.spec.target)
    assert isinstance(target, dict)
    wanted = {"database": "SFML", "schema": "SHOP", "warehouse": "LOCAL_WH", "compute_pool": "LOCAL_POOL"}
    assert wanted.items() <= target.items()
    assert plain(loaded.spec.config) == {"size": 1, "name": "local_x", "region": "none"}


def test_layers_lie_over_each_other(project: Path) -> None:
    loaded = read(project, target="prod")
    assert loaded.diagnostics == ()
    assert loaded.spec is not None
    assert plain(loaded.spec.config) == {"size": 2, "name": "fixed", "region": "none"}
    tasks = {task.name: plain(task.settings) for task in loaded.spec.tasks}
    assert tasks == {
        "second": {
            "sql": "select 2",
            "run_on": {"warehouse": "OTHER"},
            "tags": {"a": "1", "b": "2"},
            "timeout": "2h",
        }
    }
    assert loaded.spec.removed == {"first"}
    schedule = {"retries": 5, "schedule": {"cron": "0 0 * * 0", "timezone": "UTC"}}
    assert plain(loaded.spec.schedule) == schedule
    assert plain(loaded.spec.target.entries["schema"]) == "shop_jane"


def test_null_takes_a_default_away_and_sql_is_left_alone(project: Path) -> None:
    loaded = read(project)
    assert loaded.spec is not None
    first = plain(loaded.spec.tasks[0].settings)
    assert first == {"sql": "select '{{ var.size }}'", "run_on": {"warehouse": "LOCAL_WH"}}


def test_variables_from_outside_are_read_as_their_type(project: Path) -> None:
    loaded = read(project, variables={"size": "7", "name": "8"})
    assert loaded.spec is not None
    assert plain(loaded.spec.config) == {"size": 7, "name": "8", "region": "none"}
    assert codes(read(project, variables={"size": "big"})) == ["SF133"]
    assert codes(read(project, variables={"sice": "7"})) == ["SF132"]


def test_only_declared_environment_is_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFML_REGION", "eu")
    loaded = read(project)
    assert loaded.spec is not None
    assert plain(loaded.spec.config.entries["region"]) == "eu"


def test_where_a_value_came_from_is_known(project: Path) -> None:
    loaded = read(project, target="prod")
    assert loaded.spec is not None
    timeout = loaded.spec.tasks[0].settings.entries["timeout"]
    assert (timeout.span.file, timeout.path) == ("sfml.yaml", "targets.prod.defaults.timeout")
    assert timeout.overrode is not None
    assert timeout.overrode.path == "defaults.timeout"


def test_no_project_file(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("version: 1\n")
    if any((folder / "sfml.yaml").exists() for folder in tmp_path.parents):
        pytest.skip("a project file lies above the folder for temporary files")
    assert codes(load(tmp_path / "spec.yaml")) == ["SF120"]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_links_do_not_lead_out_of_the_project(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "graph.yaml").write_text("version: 1\ntasks: {a: {sql: select 1}}\n")
    (project / "specs" / "linked").symlink_to(outside)
    (project / "specs" / "graph.yaml").symlink_to(outside / "graph.yaml")
    for path in ("linked/graph.yaml", "graph.yaml", "linked/../graph.yaml"):
        (project / "specs" / "shop.yaml").write_text(f"version: 1\npipeline: shop\ngraph: {path}\n")
        assert codes(read(project)) == ["SF122"], path


@pytest.mark.parametrize("file", ["specs/shop.yaml", "sfml.yaml"])
def test_the_first_files_are_no_links_out_of_the_project(
    project: Path, tmp_path_factory: pytest.TempPathFactory, file: str
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "hidden.yaml"
    (project / file).rename(outside)
    (project / file).symlink_to(outside)
    assert [(one.code, one.span.file) for one in read(project).diagnostics] == [("SF122", file)]


def test_an_entry_file_may_be_a_link_within_the_project(project: Path) -> None:
    (project / "specs" / "shop.yaml").rename(project / "elsewhere.yaml")
    (project / "specs" / "shop.yaml").symlink_to(project / "elsewhere.yaml")
    assert codes(read(project)) == []


def test_a_link_within_the_project_is_fine(project: Path) -> None:
    (project / "graph.yaml").write_text("version: 1\ntasks: {a: {sql: select 1}}\n")
    (project / "specs" / "graph.yaml").symlink_to(project / "graph.yaml")
    (project / "specs" / "shop.yaml").write_text("version: 1\npipeline: shop\ngraph: graph.yaml\n")
    assert codes(read(project)) == []


def test_a_device_is_not_read(project: Path) -> None:
    os.mkfifo(project / "specs" / "pipe.yaml")
    (project / "specs" / "shop.yaml").write_text("version: 1\npipeline: shop\ngraph: pipe.yaml\n")
    assert codes(read(project)) == ["SF121"]


@pytest.mark.parametrize("target", ["local", "dev", "prod"])
def test_our_own_pipeline(target: str) -> None:
    loaded = load(ROOT / "specs" / "clv.yaml", target=target, user="tester")
    assert loaded.diagnostics == ()
    assert loaded.spec is not None
    threshold = plain(loaded.spec.config.entries["threshold"])
    assert threshold == (0.45 if target == "prod" else 0.4)
    timing = plain(loaded.spec.schedule.entries["schedule"])
    assert timing == ("manual" if target == "dev" else {"cron": "0 0 * * 0", "timezone": "UTC"})


def test_git_outside_of_a_work_tree_is_said_as_such(tmp_path: Path) -> None:
    (tmp_path / "sfml.yaml").write_text("version: 1\ntargets: {local: {kind: local, default: true}}\n")
    entry = tmp_path / "shop.yaml"
    tasks = 'tasks: {a: {sql: select 1, comment: "{{ git.commit }}"}}'
    entry.write_text(f"version: 1\npipeline: shop\ngraph: {{{tasks}}}\n")
    [finding] = [one for one in load(entry).diagnostics if one.code == "SF130"]
    assert finding.message == "`git.commit` is not known: the project is not in a git work tree with a commit"
    assert finding.help == "commit the project once, or take the expression out"


@pytest.mark.parametrize(
    ("place", "patch"),
    [
        ("specs/shop.yaml", ("    schedule: {retries: 5}\n", "    schedule: null\n")),
        ("sfml.yaml", ("variables: {size: 2}", "variables: {size: 2}, schedule: null")),
    ],
)
def test_null_in_a_target_removes_the_schedule_config(
    project: Path, place: str, patch: tuple[str, str]
) -> None:
    """With what the defaults give it: only what a later patch says is left."""
    file = project / place
    file.write_text(file.read_text().replace(*patch))
    spec = read(project, target="prod").spec
    assert spec is not None
    assert plain(spec.schedule) == ({"retries": 5} if place == "sfml.yaml" else {})
    local = read(project).spec
    assert local is not None and plain(local.schedule)["schedule"] == {"cron": "0 0 * * 0", "timezone": "UTC"}


def test_null_counts_as_not_given_where_tasks_are_repeated_or_brought_in(project: Path) -> None:
    (project / "specs" / "more.yaml").write_text(
        "version: 1\ntasks: {score: {sql: select 3, for_each: null}}\n"
    )
    include = "  include: {tasks: more.yaml, prefix: null, for_each: null, with: null}\n  tasks:\n"
    file = project / "specs" / "shop.yaml"
    file.write_text(file.read_text().replace("  tasks:\n", include, 1))
    loaded = read(project)
    assert loaded.spec is not None, loaded.diagnostics
    assert [task.name for task in loaded.spec.tasks] == ["first", "second", "score"]
    assert loaded.spec.groups == {}
