from __future__ import annotations

from pathlib import Path

import pytest

from sfml.base.errors import UsageError
from sfml.catalog.folders import folder_contents
from sfml.lower.job_folders import job_files


def test_a_folder_travels_without_what_is_private(tmp_path: Path) -> None:
    for name in (
        "jobs/fit/main.py",
        "jobs/fit/lib/a.py",
        "jobs/fit/.env",
        "jobs/fit/__pycache__/a.pyc",
        "libs/common/b.py",
        "key",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "jobs/fit/key").symlink_to(tmp_path / "key")
    (tmp_path / "jobs/fit/common").symlink_to("../../libs/common")
    found = job_files(tmp_path)("jobs/fit")
    assert [(file.path, file.content) for file in found] == [
        ("common/b.py", b"libs/common/b.py"),
        ("key", b"key"),
        ("lib/a.py", b"jobs/fit/lib/a.py"),
        ("main.py", b"jobs/fit/main.py"),
    ]


@pytest.mark.parametrize("folder", ["..", "missing", "/"])
def test_a_folder_outside_the_project_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match="not a folder of this project"):
        job_files(tmp_path)(folder)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("../../../outside", "leads out of the project"),
        ("/etc/hostname", "leads out of the project"),
        ("nowhere", "leads nowhere"),
        (".", "leads back to a folder that it lies in"),
        ("../..", "leads back to a folder that it lies in"),
    ],
)
def test_a_link_that_cannot_travel_is_refused(tmp_path: Path, target: str, problem: str) -> None:
    (tmp_path / "outside").mkdir()
    folder = tmp_path / "project" / "jobs" / "fit"
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("")
    (folder / "link").symlink_to(target)
    with pytest.raises(UsageError, match=f"`jobs/fit/link` {problem}"):
        job_files(tmp_path / "project")("jobs/fit")


def test_folders_that_link_to_each_other_form_a_cycle(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / "jobs" / name).mkdir(parents=True)
        (tmp_path / "jobs" / name / "m.py").write_text(name)
        (tmp_path / "jobs" / name / "other").symlink_to(f"../{other}")
    contents = folder_contents(tmp_path / "jobs" / "a", tmp_path)
    assert [name for name, _ in contents.files] == ["m.py", "other/m.py"]
    assert contents.refused == (("other/other", "leads back to a folder that it lies in"),)


def test_hidden_files_of_tools_stay_behind_in_silence(tmp_path: Path) -> None:
    for name in ("job/.config/c.yaml", "job/.env", "job/.git/config", "job/sub/.secret"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    contents = folder_contents(tmp_path / "job", tmp_path)
    assert (contents.files, contents.hidden) == ((), (".config/", "sub/.secret"))
