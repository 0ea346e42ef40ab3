"""What a change touches: just the tasks that run what was changed, and the graph."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sfml.frontend.reading import read
from sfml.lower.desired import DesiredGraph
from sfml.lower.job_folders import job_files
from sfml.lower.lower import lower

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("specs", "steps"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sfml.yaml", tmp_path)
    return tmp_path


def compiled(project: Path, target: str = "prod") -> DesiredGraph:
    reading = read(project / "specs/clv.yaml", target=target, user="ada")
    assert reading.graph is not None, reading.diagnostics
    return lower(reading.graph, reading.catalog.closure, "0.1.0", job_files=job_files(reading.root))


def changed(before: DesiredGraph, after: DesiredGraph) -> set[str]:
    """The tasks whose fingerprint of the definition or of the code differs."""
    assert (before.fingerprint == after.fingerprint) == (
        [task.fingerprint for task in before.all_tasks] == [task.fingerprint for task in after.all_tasks]
    )
    pairs = zip(before.all_tasks, after.all_tasks, strict=True)
    return {
        old.task or "root"
        for old, new in pairs
        if (old.fingerprint, old.code_sha256) != (new.fingerprint, new.code_sha256)
    }


def append(project: Path, path: str, text: str = "\n# touched\n") -> None:
    with (project / path).open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("path", "touched"),
    [
        ("steps/clv/features.py", {"prepare_data"}),
        ("steps/clv/train.py", {"train_model"}),
        ("steps/clv/gate.py", {"check_model_quality"}),
        ("steps/clv/inference.py", {"score_customers"}),
        ("steps/sfml_steps/registry.py", {"promote_model"}),
        ("steps/sfml_steps/cleanup.py", {"cleanup"}),
    ],
)
def test_touching_a_step_changes_the_tasks_that_run_it(project: Path, path: str, touched: set[str]) -> None:
    before = compiled(project)
    append(project, path)
    after = compiled(project)
    found = changed(before, after)
    running = {
        task.task
        for task in after.all_tasks
        for archive in after.archives
        if task.code_sha256 == archive.sha256 and path.removeprefix("steps/") in dict(archive.files)
    }
    assert found == running
    assert touched <= found
    assert len(found) < len(after.all_tasks) - 1, "each archive holds only what its step imports"


def test_touching_what_no_task_runs_changes_nothing(project: Path) -> None:
    before = compiled(project)
    (project / "steps/clv/unused.py").write_text("import clv.train\n", encoding="utf-8")
    append(project, "specs/clv.yaml")
    assert changed(before, compiled(project)) == set()


def test_a_setting_changes_its_task_alone(project: Path) -> None:
    before = compiled(project)
    graph = project / "specs/clv/job_config.yaml"
    text = graph.read_text(encoding="utf-8")
    assert "\n  score_customers:\n" in text
    graph.write_text(
        text.replace("\n  score_customers:\n", "\n  score_customers:\n    comment: slow\n"), encoding="utf-8"
    )
    assert changed(before, compiled(project)) == {"score_customers"}


def test_the_schedule_changes_the_root_alone(project: Path) -> None:
    before = compiled(project)
    schedule = project / "specs/clv/schedule_config.yaml"
    text = schedule.read_text(encoding="utf-8")
    schedule.write_text(text.replace("retries: 1", "retries: 2"), encoding="utf-8")
    assert changed(before, compiled(project)) == {"root"}
