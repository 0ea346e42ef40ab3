"""Outlines that are kept between commands: true ones are found again, and anything that changes makes them anew."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sfml.frontend import project_files
from sfml.frontend.compiled_spec import desired_graph
from sfml.frontend.reading import read
from sfml.operations import kept_outlines
from sfml.operations.kept_outlines import FOLDER, KeptOutline, KeptOutlines
from sfml.operations.traced_reading import TracedReadings
from sfml.plan.outline import outline_from, outline_of, outline_value

ROOT = Path(__file__).parents[3]

PROJECT = """version: 1
steps: [steps]
env: {PLACE: home}
targets:
  local: {kind: local, default: true}
  other: {kind: local, database: OTHER}
"""
SPEC = """version: 1
pipeline: NAME
graph: {graph}
schedule: {schedule: {every: 1h}, expect: {within: 10m}}
"""
STEP = """from sfml_steps import Context, step


@step
def train(ctx: Context) -> int:
    return 1
"""
GRAPHS = {
    "inline": "{tasks: {first: {sql: 'select 1'}}}",
    "file": "shared/graph.yaml",
    "step": "{tasks: {first: {step: own.work.train}}}",
    "statement": "{tasks: {first: {sql: {file: shared/first.sql}}}}",
    "environment": "{tasks: {first: {sql: 'select 1', comment: '{{ env.PLACE }}'}}}",
    "job": "{tasks: {first: {job: {folder: job, entrypoint: main.py}, run_on: {pool: P}}}}",
    "commit": "{tasks: {first: {sql: 'select 1', comment: 'at {{ git.commit }}'}}}",
}
OPTIONS = ("", "ada")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "project"
    files = {
        "sfml.yaml": PROJECT,
        "shared/graph.yaml": "version: 1\ntasks:\n  first: {sql: 'select 1'}\n",
        "shared/first.sql": "select 1",
        "steps/own/__init__.py": "",
        "steps/own/work.py": STEP,
        "job/main.py": "print(1)\n",
        "README.md": "what it is\n",
        **{
            f"{name}.yaml": SPEC.replace("NAME", name).replace("{graph}", graph)
            for name, graph in GRAPHS.items()
        },
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for words in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", "first")):
        subprocess.run(("git", "-C", str(root), *words), check=True)
    return root


def keep(root: Path, options: tuple[str, ...] = OPTIONS) -> dict[str, KeptOutline]:
    readings, store, kept = TracedReadings(None, {}, "ada"), KeptOutlines(root, options), {}
    for name in GRAPHS:
        trace = readings.trace(str(root / f"{name}.yaml"))
        reading = trace.read(checked=True)
        assert reading.graph is not None, reading.diagnostics
        outline = trace.kept(reading, desired_graph(reading), checked=True)
        if outline is not None:
            kept[f"{name}.yaml"] = outline
    store.write(kept)
    return kept


def found(root: Path, options: tuple[str, ...] = OPTIONS) -> set[str]:
    return {Path(file).stem for file in KeptOutlines(root, options).read()}


KEPT = {"inline", "file", "step", "statement", "environment", "job"}


def test_what_was_kept_is_found_again(root: Path) -> None:
    kept = keep(root)
    assert found(root) == KEPT, "what git says is no file, so it is asked again"
    assert KeptOutlines(root, OPTIONS).read() == kept
    assert all(outline.desired.within == 600 for outline in kept.values())


@pytest.mark.parametrize(
    ("file", "gone"),
    [
        ("inline.yaml", {"inline", "job"}),
        ("shared/graph.yaml", {"file", "job"}),
        ("shared/first.sql", {"statement", "job"}),
        ("steps/own/work.py", KEPT),
        ("job/main.py", KEPT),
        ("sfml.yaml", KEPT),
        ("README.md", KEPT),
        ("shared/new.yaml", KEPT),
        (".hidden", set()),
        ("build/inline/local/tasks.sql", set()),
        ("steps/own/__pycache__/work.pyc", set()),
    ],
)
def test_a_changed_file_is_compiled_again(root: Path, file: str, gone: set[str]) -> None:
    """A job may hold any file of the project, so it depends on all; any other pipeline on what it reads."""
    keep(root)
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    with (root / file).open("a", encoding="utf-8") as text:
        text.write("\n# changed\n")
    assert found(root) == KEPT - gone


def test_a_change_that_is_taken_back_is_no_change(root: Path) -> None:
    keep(root)
    text = (root / "inline.yaml").read_text()
    (root / "inline.yaml").write_text(text + "# changed\n")
    assert "inline" not in found(root)
    (root / "inline.yaml").write_text(text)
    assert found(root) == KEPT


def test_other_options_and_another_environment_are_compiled_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(root)
    assert found(root, ("other", "ada")) == found(root, ("", "bob")) == set()
    monkeypatch.setenv("PLACE", "away")
    assert found(root) == set()
    monkeypatch.delenv("PLACE")
    assert found(root) == KEPT
    monkeypatch.chdir(root / "shared")
    assert found(root) == set(), "paths are shown from where one is"


def test_another_installation_compiles_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(root)
    monkeypatch.setattr(kept_outlines, "_installation", lambda: "another one")
    assert found(root) == set()


def test_files_that_come_with_a_copy_of_the_project_are_not_trusted(root: Path) -> None:
    keep(root)
    shutil.copytree(root, root.with_name("copy"))
    assert found(root.with_name("copy")) == set()
    [file] = (root.with_name("copy") / FOLDER).glob("*.json")
    for options in (OPTIONS, ("", "bob")):  # under the name that its own options would have
        file.rename(KeptOutlines(root.with_name("copy"), options)._path)
        assert found(root.with_name("copy"), options) == set()
        [file] = (root.with_name("copy") / FOLDER).glob("*.json")


def _replaced(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff"),
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text('{"format": 2, "pipelines": {"inline.yaml": 3}}'),
        lambda path: _replaced(path, lambda value: value.update(format=1)),
        lambda path: _replaced(path, lambda value: value["pipelines"]["inline.yaml"]["graph"].pop("target")),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_damaged_file_is_written_anew(root: Path, damage: Callable[[Path], object]) -> None:
    keep(root)
    [path] = (root / FOLDER).glob("*.json")
    damage(path)
    assert found(root) == set()
    if path.is_file():
        keep(root)
        assert found(root) == KEPT


def test_a_file_that_changes_while_it_is_compiled_is_not_kept(root: Path) -> None:
    store = KeptOutlines(root, OPTIONS)
    kept = keep(root)
    shutil.rmtree(root / FOLDER)
    (root / "inline.yaml").write_text(SPEC.replace("NAME", "x").replace("{graph}", GRAPHS["inline"]))
    store.write(kept)
    assert not (root / FOLDER).exists()


def test_it_is_private_and_dirties_no_work_tree(root: Path) -> None:
    keep(root)
    assert (root / FOLDER).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (root / FOLDER).iterdir()} == {0o600}
    assert (root / FOLDER / ".gitignore").read_text() == "*\n"
    text = "".join(path.read_text() for path in (root / FOLDER).iterdir())
    assert "select 1" not in text, "statements are not needed for a status"


def test_few_files_are_kept(root: Path) -> None:
    for number in range(12):
        keep(root, ("", f"user{number}"))
    assert len(list((root / FOLDER).glob("*.json"))) == kept_outlines.MOST_FILES
    assert found(root, ("", "user11")) == KEPT


def test_projects_that_cannot_be_looked_through_quickly_keep_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting, value in (("MOST_FILES", 9), ("MOST_BYTES", 300)):
        with monkeypatch.context() as patch:
            patch.setattr(project_files, setting, value)
            keep(root)
        assert not (root / FOLDER).exists()
    (root / "linked").symlink_to(root / "steps")
    keep(root)
    assert not (root / FOLDER).exists(), "what a link leads to is not looked at"


@pytest.mark.parametrize("link", [FOLDER, FOLDER.parent])
def test_nothing_is_written_through_a_link(root: Path, tmp_path: Path, link: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / link).parent.mkdir(exist_ok=True)
    (root / link).symlink_to(elsewhere)
    keep(root)
    assert not list(elsewhere.iterdir())


def test_the_json_of_an_outline_is_the_outline() -> None:
    specs = sorted((ROOT / "tests" / "corpus" / "v1").rglob("*.yaml"))
    graphs = [(path, reading) for path in specs if (reading := read(path)).graph is not None]
    assert len(graphs) > 3
    for path, reading in graphs:
        desired = desired_graph(reading)
        outline = outline_of(desired)
        assert outline_from(json.loads(json.dumps(outline_value(desired)))) == outline, path
        assert [task.name for task in outline.all_tasks] == [task.name for task in desired.all_tasks]
        assert [task.condition for task in outline.all_tasks] == [
            task.condition for task in desired.all_tasks
        ]
        assert (outline.fingerprint, outline.where) == (desired.fingerprint, desired.where)
