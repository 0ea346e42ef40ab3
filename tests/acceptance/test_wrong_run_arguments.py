"""Wrong selectors and configs of runs are refused before a target is asked, or a server started."""

from __future__ import annotations

import pytest
from conftest import Project


@pytest.mark.parametrize(
    "wrong",
    [
        ("--only", "nope"),
        ("--from", "nope"),
        ("--only", "kind:nope"),
        ("--config", "nope=1"),
        ("--config", "nope=1", "--recover", "last"),
    ],
)
def test_a_wrong_selector_or_config_starts_no_server(project: Project, wrong: tuple[str, ...]) -> None:
    result = project.sfml("run", "small", *wrong, ok=False)
    assert result.code == 2 and "nope" in result.err
    assert "starting" not in result.err
    assert not (project.folder / ".sfml" / "local").exists()
