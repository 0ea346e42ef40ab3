from __future__ import annotations

from pathlib import Path

import pytest

from sfml.errors import UsageError
from sfml.lower.job_folders import job_files


def test_a_folder_travels_without_what_is_private(tmp_path: Path) -> None:
    for name in (
        "jobs/fit/main.py",
        "jobs/fit/lib/a.py",
        "jobs/fit/.env",
        "jobs/fit/__pycache__/a.pyc",
        "key",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "jobs/fit/key").symlink_to(tmp_path / "key")
    found = job_files(tmp_path)("jobs/fit")
    assert [(file.path, file.content) for file in found] == [
        ("lib/a.py", b"jobs/fit/lib/a.py"),
        ("main.py", b"jobs/fit/main.py"),
    ]


@pytest.mark.parametrize("folder", ["..", "missing", "/"])
def test_a_folder_outside_the_project_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(UsageError, match="not a folder of this project"):
        job_files(tmp_path)(folder)
