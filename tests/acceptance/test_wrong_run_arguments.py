"""Selectors of parts of runs that fit no task are refused before a target is asked, or a server started."""

from __future__ import annotations

import pytest
from conftest import Project


@pytest.mark.parametrize("selector", [("--only", "nope"), ("--from", "nope"), ("--only", "kind:nope")])
def test_a_wrong_selector_starts_no_server(project: Project, selector: tuple[str, str]) -> None:
    result = project.sfml("run", "small", *selector, ok=False)
    assert result.code == 2 and "nope" in result.err
    assert "starting" not in result.err
    assert not (project.folder / ".sfml" / "local").exists()
