"""`compile --page` and `diff --page`: what is written, for pull requests of every kind."""

from __future__ import annotations

import os
import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import fork_server
import pytest
from review_repository import Repository, with_pull_requests
from tests.acceptance.conftest import SFML, Done, Project

CARDS = {
    "task-added": {"+": 1},
    "branch-rewired": {"~": 1},
    "task-renamed": {"→": 1},
    "threshold": {"~": 1},
    "new-pipeline": {},
    "broken": {},
    "hostile`|<b>@everyone": {"~": 4},
}
"""Branch → how often a sign stands on a card of its page, at least."""


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return with_pull_requests(tmp_path_factory.mktemp("pages"))


def diff(it: Repository, branch: str, page: Path, *arguments: str) -> Done:
    command = (
        str(SFML),
        "diff",
        "specs",
        "--base",
        "main",
        "--head",
        branch,
        "--page",
        str(page),
        *arguments,
    )
    done = fork_server.run(command, cwd=it.folder, env=os.environ, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def text_of(page: Path) -> str:
    """What the page says, less its style and script."""
    bare = re.sub(r"<(style|script)>.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


@pytest.mark.parametrize("branch", CARDS)
def test_a_pull_request_has_a_page(reviewed: Repository, tmp_path: Path, branch: str) -> None:
    page = tmp_path / "new folder" / "diff.html"
    done = diff(reviewed, branch, page)
    assert done.code == (1 if branch == "broken" else 0)
    written = page.read_text(encoding="utf-8")
    assert written.count("<script>") == written.count("<style>") == 1
    for sign, count in CARDS[branch].items():
        assert len(re.findall(rf'class="badge">.*\n<text[^>]*>{re.escape(sign)}<', written)) >= count
    # The page says at its top what the command says in its first line.
    assert done.out.splitlines()[0].split("   ")[-1].strip() in text_of(page)


def test_a_changed_setting_is_told_with_both_values_and_its_line(
    reviewed: Repository, tmp_path: Path
) -> None:
    page = tmp_path / "diff.html"
    diff(reviewed, "threshold", page, "-o", "json", "--quiet")
    said = text_of(page)
    assert "0.75 0.6" in said
    assert "specs/churn.yaml:9" in said
    assert "changes how the gate `check` decides" in said


def test_no_change_of_meaning_is_a_page_without_a_graph(reviewed: Repository, tmp_path: Path) -> None:
    page = tmp_path / "diff.html"
    diff(reviewed, "moved-without-meaning", page)
    assert "no change of meaning" in text_of(page)
    assert "<section" not in page.read_text(encoding="utf-8")


def test_a_broken_head_leaves_the_base_to_look_at(reviewed: Repository, tmp_path: Path) -> None:
    page = tmp_path / "diff.html"
    assert diff(reviewed, "broken", page).code == 1
    assert "this is the base: the other side does not compile" in text_of(page)


def test_the_same_commits_give_the_same_page(reviewed: Repository, tmp_path: Path) -> None:
    other = with_pull_requests(tmp_path / "elsewhere")
    pages = []
    for it in (reviewed, other):
        pages.append(tmp_path / f"{len(pages)}.html")
        diff(it, "removed-and-another-schema", pages[-1])
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_a_page_that_cannot_be_written_is_said(reviewed: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = diff(reviewed, "threshold", tmp_path / "file" / "diff.html")
    assert done.code == 1
    assert "file" in done.err and done.err.startswith("error")


def test_compile_draws_on_request(project: Project) -> None:
    project.sfml("compile", "specs/small.yaml")
    build = project.folder / "build" / "small" / "local"
    assert not (build / "graph.html").exists()
    done = project.sfml("compile", "specs/small.yaml", "--page")
    assert "build/small/local/graph.html" in done.out
    root = ElementTree.parse(build / "graph.svg").getroot()
    names = [one.text for one in root.iter() if one.get("class") == "name"]
    assert names == ["small", "first", "second"]
    assert "specs/small.yaml:" in text_of(build / "graph.html")
    first = (build / "graph.html").read_bytes()
    project.sfml("compile", "specs/small.yaml", "--page", "-o", "json")
    assert (build / "graph.html").read_bytes() == first
