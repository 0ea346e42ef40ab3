"""Policies in reviews: what a branch brings in fails, what was there does not, and no code of a stranger runs."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from sfml.base.resources import schema
from sfml.ci.job_inputs import JobInputs
from sfml.ci.occasion import Occasion
from sfml.ci.review import review
from sfml.cli.entry import run

PROJECT = """\
version: 1
targets:
  local: {kind: local, default: true}
  prod: {connection: prod, account: A, database: ML, warehouse: WH, mode: production}
policies: {python: true}
"""
SPEC = """\
version: 1
pipeline: shop
description: sells
schedule: {version: 1, schedule: {every: 1h}, alerts: {on_error: ML_ERRORS}}
graph:
  tasks:
    take: {sql: SELECT 1}
    give: {sql: SELECT 1, after: [take], timeout: 1h}
"""
YAML = """\
version: 1
policies:
  - code: ML1
    title: no task runs for long
    why: it costs
    severity: {production: error, default: warning}
    field: timeout
    condition: {at_most: 30m}
    message: "`{task}` may run for {value}"
  - code: ML3
    title: a pipeline is described
    about: pipeline
    severity: error
    field: description
    condition: {set: true}
    message: "`{pipeline}` has no description"
"""
PYTHON = """\
from sfml.policies import policy

@policy("ML2", severity="error")
def nothing_dropped(plan):
    "Nothing is dropped."
    for change in plan.changes:
        if change.action == "drop":
            yield change.finding(f"`{change.task}` is dropped")
"""


def git(folder: Path, *arguments: str) -> str:
    who = {
        f"GIT_{role}_{what}": "a@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ("git", "-c", "maintenance.auto=false", *arguments),
        cwd=folder,
        check=True,
        capture_output=True,
        env=environment,
        text=True,
    )
    return done.stdout


def commit(folder: Path, message: str) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", message)


@pytest.fixture
def repository(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    for file, text in {
        "sfml.yaml": PROJECT,
        "shop.yaml": SPEC,
        "policies/team.yaml": YAML,
        "policies/team.py": PYTHON,
    }.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, "begin")
    git(tmp_path, "switch", "-q", "-c", "change")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed(repository: Path, old: str, new: str, file: str = "shop.yaml") -> None:
    text = (repository / file).read_text(encoding="utf-8")
    assert old in text
    (repository / file).write_text(text.replace(old, new), encoding="utf-8")


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == code
    return capsys.readouterr().out


def codes(document: Any) -> list[str]:
    return [one["code"] for one in document["diagnostics"]]


def test_what_was_there_is_no_failure_with_a_baseline(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`give` breaks a policy already; the branch that makes `take` break it is told of `take` alone."""
    found = json.loads(shown(capsys, "validate", "-o", "json", "--policies", "main", code=1))
    Draft202012Validator(schema("output/validate.schema.json")).validate(found)
    assert codes(found) == ["ML1", "ML1"]
    with_baseline = ("validate", "--policies", "main", "--baseline", "main")
    assert codes(json.loads(shown(capsys, *with_baseline, "-o", "json"))) == []
    changed(repository, "take: {sql: SELECT 1}", "take: {sql: SELECT 1, timeout: 40m}")
    changed(repository, "  tasks:\n", "  tasks:\n\n\n")  # findings are the same on other lines
    found = json.loads(shown(capsys, *with_baseline, "-o", "json", code=1))
    assert [one["message"] for one in found["diagnostics"]] == ["`take` may run for 40m"] * 2
    assert [one["targets"] for one in found["diagnostics"]] == [["local"], ["prod"]]


def test_a_comment_shows_what_a_change_brings_in(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(repository, "every: 1h", "every: 2h")
    assert "ML1" not in shown(capsys, "diff", "--base", "main", "-o", "markdown", "--policies", "main")
    changed(repository, "take: {sql: SELECT 1}", "take: {sql: SELECT 1, timeout: 40m}")
    comment = shown(capsys, "diff", "--base", "main", "-o", "markdown", "--policies", "main", code=1)
    assert "error[ML1]: `take` may run for 40m" in comment and "`give`" not in comment
    assert "1 error and 1 warning were there before the change" in comment
    found = json.loads(shown(capsys, "diff", "--base", "main", "-o", "json", "--policies", "main", code=1))
    Draft202012Validator(schema("output/diff.schema.json")).validate(found)
    assert {one["code"] for one in found["pipelines"][0]["head_findings"]} == {"ML1"}


def test_policies_over_the_plan_look_at_a_review(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(repository, "    give: {sql: SELECT 1, after: [take], timeout: 1h}\n", "")
    comment = shown(capsys, "diff", "--base", "main", "-o", "markdown", "--policies", "main", code=1)
    assert "error[ML2]: `give` is dropped" in comment


def test_a_finding_about_what_is_not_deployed_is_shown(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Removing a description changes no task."""
    changed(repository, "description: sells\n", "")
    for form in ("text", "markdown"):
        text = shown(capsys, "diff", "--base", "main", "-o", form, "--policies", "main", code=1)
        assert "error[ML3]: `shop` has no description" in text
    assert "ML3" in shown(capsys, "diff", "--base", "main", "-q", "--policies", "main", code=1)


STRANGER = """\
from sfml.policies import policy

open({place!r}, "w").close()

@policy("ML9")
def anything(pipeline):
    open({place!r}, "w").close()
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate",),
        ("validate", "--baseline", "main"),
        ("validate", "--policies", "main"),
        ("validate", "--policies", "main", "--baseline", "main"),
        ("diff", "--base", "main"),
        ("diff", "--base", "main", "--head", "HEAD"),
        ("diff", "--base", "main", "--policies", "main"),
        ("policies", "list"),
        ("policies", "explain", "ML9"),
        ("policies", "test"),
        ("describe",),
        ("cost", "-t", "prod"),
    ],
    ids=" ".join,
)
def test_no_code_of_a_request_runs(
    arguments: tuple[str, ...], repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the request writes: policies, the project file that allows them, modules of any name."""
    place = tmp_path_factory.mktemp("stranger") / "ran"
    text = STRANGER.format(place=str(place))
    for file in (
        "policies/team.py",
        "policies/more.py",
        "policies/sfml/__init__.py",
        "policies/json.py",
        "sitecustomize.py",
    ):
        (repository / file).parent.mkdir(exist_ok=True)
        (repository / file).write_text(text, encoding="utf-8")
    (repository / "policies" / "tests.yaml").write_text(
        "version: 1\ntests: [{name: a, policy: ML9, given: {graph: {tasks: {a: {sql: SELECT 1}}}}, finds: 0}]\n",
        encoding="utf-8",
    )
    changed(
        repository,
        "policies: {python: true}",
        "policies: {python: true, severity: {ML1: 'off'}, timeout: 1s}",
        "sfml.yaml",
    )
    changed(repository, "every: 1h", "every: 2h")
    commit(repository, "stranger")
    run(list(arguments))
    assert not place.exists()


def test_a_request_cannot_turn_policies_off(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(repository, "take: {sql: SELECT 1}", "take: {sql: SELECT 1, timeout: 40m}")
    changed(repository, "policies: {python: true}\n", "", "sfml.yaml")
    (repository / "policies" / "team.yaml").unlink()
    held = ("--policies", "main", "--baseline", "main")
    assert "error[ML1]: `take` may run for 40m" in shown(capsys, "validate", *held, code=1)
    comment = shown(capsys, "diff", "--base", "main", "-o", "markdown", "--policies", "main", code=1)
    assert "error[ML1]" in comment
    assert "`policies/team.yaml` is changed; the policies of `main` hold here until it is merged" in comment


def test_a_request_cannot_leave_the_project(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A project file beside the pipeline has no policies in `main`."""
    (repository / "below").mkdir()
    (repository / "shop.yaml").rename(repository / "below" / "shop.yaml")
    own = PROJECT.replace("policies: {python: true}\n", "")
    (repository / "below" / "sfml.yaml").write_text(own, encoding="utf-8")
    changed(repository, "description: sells\n", "", "below/shop.yaml")
    held = ("--policies", "main")
    found = shown(capsys, "validate", "below/shop.yaml", *held, code=1)
    assert "error[ML3]: `shop` has no description" in found
    assert "error[ML3]" in shown(capsys, "diff", "--base", "main", *held, code=1)


@pytest.mark.parametrize("linked", ["policies", "policies/team.yaml"])
def test_links_that_are_not_followed_are_told(
    linked: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "shared").mkdir()
    (repository / linked).rename(repository / "shared" / "real")
    (repository / linked).symlink_to(
        os.path.relpath(repository / "shared" / "real", (repository / linked).parent)
    )
    commit(repository, "link")
    text = shown(capsys, "validate", "--policies", "HEAD")
    assert f"warning[SF530]: `{linked}` is a link, which is not followed in a commit" in text


def test_a_link_to_a_folder_of_policies_is_told(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "shared").mkdir()
    (repository / "policies" / "more").symlink_to("../shared")
    commit(repository, "link")
    text = shown(capsys, "validate", "--policies", "HEAD", code=1)
    assert "warning[SF530]: `policies/more` is a link, which is not followed in a commit" in text


def test_policies_that_the_project_file_turns_off_are_told(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(repository, "every: 1h", "every: 2h")
    held = ("diff", "--base", "main", "-o", "markdown", "--policies", "main")
    note = "`sfml.yaml` is changed; the policies of `main` hold here until it is merged"
    changed(repository, "warehouse: WH,", "warehouse: WH2,", "sfml.yaml")
    assert note not in shown(capsys, *held)
    changed(repository, "{python: true}", "{python: true, severity: {ML1: 'off'}}", "sfml.yaml")
    assert note in shown(capsys, *held)


def test_a_new_policy_finds_nothing_new_in_what_was_there(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(repository, "at_most: 30m", "at_most: 1m", "policies/team.yaml")
    changed(repository, "every: 1h", "every: 2h")
    assert "ML1" not in shown(capsys, "validate", "--baseline", "main")
    assert "ML1" not in shown(capsys, "diff", "--base", "main").partition("now:")[2]


def test_a_new_pipeline_has_no_baseline(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (repository / "shop.yaml").read_text(encoding="utf-8").replace("pipeline: shop", "pipeline: other")
    (repository / "other.yaml").write_text(text, encoding="utf-8")
    found = json.loads(
        shown(capsys, "validate", "-o", "json", "--policies", "main", "--baseline", "main", code=1)
    )
    assert {one["file"] for one in found["diagnostics"]} == {"other.yaml"}


@pytest.mark.parametrize("wrong", [("--baseline", "nope"), ("--policies", "nope")])
def test_an_unknown_commit_is_wrong_usage(wrong: tuple[str, str], repository: Path) -> None:
    assert run(["validate", *wrong]) == 2


def test_every_format_has_the_findings(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = ("validate", "--policies", "main")
    text = shown(capsys, *held, code=1)
    assert "error[ML1]: `give` may run for 1h" in text and " why: it costs" in text
    assert "::error file=shop.yaml,line=8" in shown(capsys, *held, "-o", "github", code=1)
    assert {one["check_name"] for one in json.loads(shown(capsys, *held, "-o", "gitlab", code=1))} == {"ML1"}
    sarif = json.loads(shown(capsys, *held, "-o", "sarif", code=1))["runs"][0]
    (rule,) = sarif["tool"]["driver"]["rules"]
    assert rule["id"] == "ML1" and rule["shortDescription"]["text"] == "No task runs for long."
    assert rule["properties"]["group"] == "Policies" and "it costs" in rule["help"]["text"]
    markdown = shown(capsys, *held, "-o", "markdown", code=1)
    assert markdown.startswith("### 1 error, 1 warning") and "| error | ML1 |" in markdown
    junit = ElementTree.fromstring(shown(capsys, *held, "-o", "junit", code=1))
    suites = {suite.get("name"): suite for suite in junit}
    assert set(suites) == {"shop on local", "shop on prod"}
    cases = {case.get("name"): case for case in suites["shop on prod"]}
    failure = cases["ML1 no task runs for long"].find("failure")
    assert failure is not None and "may run for 1h" in (failure.get("message") or "")
    assert len(cases["ML3 a pipeline is described"]) == 0
    assert suites["shop on local"].get("failures") == "0"


def test_silencing_works_as_for_rules(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reason = "timeout: 1h}  # sfml: ignore ML1 -- the source is slow"
    changed(repository, "timeout: 1h}", reason)
    text = shown(capsys, "validate", "-t", "local", "--policies", "main")
    assert "0 errors, 0 warnings (1 silenced)" in text
    assert "error[SF150]" in shown(capsys, "validate", "-t", "prod", "--policies", "main", code=1)
    changed(repository, "timeout: 1h}", "timeout: 10m}")
    assert "warning[SF151]" in shown(capsys, "validate", "--policies", "main")


def test_the_project_file_silences_too(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ignore = "ignore: [{code: ML1, reason: they are old, paths: [shop.yaml]}]\npolicies:"
    changed(repository, "policies:", ignore, "sfml.yaml")
    assert "(1 silenced)" in shown(capsys, "validate", "-t", "local", "--policies", "main")
    changed(repository, "code: ML1", "code: ML7", "sfml.yaml")
    assert "there is no code `ML7`" in shown(capsys, "validate", "--policies", "main", code=1)


def test_policies_without_the_key_are_told_of(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(repository, "policies: {python: true}\n", "", "sfml.yaml")
    text = shown(capsys, "validate")
    assert "warning[SF537]" in text and "ML1" not in text
    (repository / "policies" / "team.py").unlink()
    (repository / "policies" / "team.yaml").write_text("kind: Policy\n", encoding="utf-8")
    assert "SF537" not in shown(capsys, "validate")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (
            "sfml.yaml",
            "policies: {python: true}",
            "policies: {python: 7}",
            "the policies of main are not known",
        ),
        ("sfml.yaml", "version: 1\n", "version: 1\n  - [\n", "the policies of main are not known"),
        ("policies/team.yaml", "field: timeout", "field: timout", "a task has no field `timout`"),
    ],
)
def test_a_broken_base_can_be_mended(
    file: str, old: str, new: str, words: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else no request could pass the check that its policies fail."""
    git(repository, "switch", "-q", "main")
    changed(repository, old, new, file)
    commit(repository, "break")
    git(repository, "switch", "-q", "-c", "mend")
    changed(repository, new, old, file)
    text = shown(capsys, "validate", "--policies", "main", "--baseline", "main")
    assert "warning[SF53" in text and words in text
    assert run(["diff", "--base", "main", "--policies", "main"]) == 0


@pytest.fixture
def job(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[int, str]]:
    """Runs the program of a job for a pull request from `change` into `main`; gives its exit code and its summary."""

    def act() -> tuple[int, str]:
        out = tmp_path_factory.mktemp("job")
        inputs = JobInputs((".",), repository, "main", None, None, True, True, out / "review", None)
        none: tuple[None, ...] = (None,) * 5
        occasion = Occasion("github", "", "", "team/pipelines", *none, out / "summary.md", out / "outputs")
        code = review(inputs, occasion)
        return code, (out / "summary.md").read_text(encoding="utf-8")

    return act


def test_a_job_fails_for_what_a_request_brings_in(
    repository: Path, job: Callable[[], tuple[int, str]], capfd: pytest.CaptureFixture[str]
) -> None:
    changed(repository, "every: 1h", "every: 2h")
    commit(repository, "less often")
    code, summary = job()
    assert code == 0 and "ML1" not in capfd.readouterr().out + summary  # `give` was wrong before
    changed(repository, "take: {sql: SELECT 1}", "take: {sql: SELECT 1, timeout: 40m}")
    changed(repository, "policies: {python: true}", "policies: {severity: {ML1: 'off'}}", "sfml.yaml")
    commit(repository, "longer")
    code, summary = job()
    printed = capfd.readouterr().out
    assert code == 1
    assert "::error file=shop.yaml,line=7" in printed and "ML1" in printed
    assert "error[ML1]: `take` may run for 40m" in summary


def test_a_job_runs_no_code_of_a_request(
    repository: Path, job: Callable[[], tuple[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("stranger") / "ran"
    for file in ("policies/team.py", "policies/more.py", "sfml.py", "json.py"):
        (repository / file).write_text(STRANGER.format(place=str(place)), encoding="utf-8")
    changed(repository, "every: 1h", "every: 2h")
    commit(repository, "stranger")
    job()
    assert not place.exists()
