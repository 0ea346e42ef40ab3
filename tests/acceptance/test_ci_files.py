"""The files of CI, and those that docs/ci.md shows, under the linters of their field, offline; hooks at work."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ci_jobs import ACTION, ROOT, TEMPLATE
from review_repository import Repository, repository_in

BIN = Path(sys.executable).parent
HOOKS = ROOT / ".pre-commit-hooks.yaml"
PAGE = ROOT / "docs" / "ci.md"
_EXAMPLE = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = dict(_EXAMPLE.findall(PAGE.read_text(encoding="utf-8")))
OWN_WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOW = ".github/workflows/pipelines.yml"


def tool(*words: str | Path, cwd: Path | None = None) -> tuple[int, str]:
    command = (str(BIN / words[0]), *map(str, words[1:]))
    plain = {**os.environ, "NO_COLOR": "1"}
    for name in ("CI", "FORCE_COLOR", "CLICOLOR_FORCE"):
        plain.pop(name, None)
    done = subprocess.run(command, cwd=cwd, env=plain, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def written(folder: Path, path: str, text: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflow of the page."""
    return written(tmp_path_factory.mktemp("example"), WORKFLOW, EXAMPLES[WORKFLOW])


def test_the_page_has_an_example_of_each() -> None:
    assert set(EXAMPLES) == {WORKFLOW, ".gitlab-ci.yml", ".pre-commit-config.yaml"}


# -- security


def test_zizmor_finds_nothing(workflow: Path, tmp_path: Path) -> None:
    assert tool("zizmor", "--offline", "--quiet", "--pedantic", ACTION) == (
        0,
        "No findings to report. Good job!\n",
    )
    assert tool("zizmor", "--offline", "--quiet", "--collect=pre-commit", HOOKS)[0] == 0
    # Examples are read by people, who see versions; the action itself names commits.
    readable = written(
        tmp_path, "zizmor.yml", "rules: {unpinned-uses: {config: {policies: {'*': ref-pin}}}}\n"
    )
    code, said = tool("zizmor", "--offline", "--quiet", "--pedantic", "--config", readable, workflow)
    assert code == 0, said


def test_zizmor_would_find_text_of_others_in_a_script(tmp_path: Path) -> None:
    text = ACTION.read_text(encoding="utf-8")
    assert text.count("-I -m sfml.ci\n") == 1
    planted = text.replace("-I -m sfml.ci\n", "-I -m sfml.ci ${{ github.head_ref }}\n")
    code, said = tool("zizmor", "--offline", "--quiet", written(tmp_path, "action.yml", planted))
    assert code != 0 and "template-injection" in said


def test_no_expression_is_in_a_script_and_no_workflow_has_both_foreign_code_and_rights() -> None:
    steps = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    assert not [step for step in steps if "${{" in step.get("run", "")]
    (job,) = list(yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8")))[1].values()
    assert "$[[" not in "".join(job["script"])
    for text in (ACTION.read_text(encoding="utf-8"), *EXAMPLES.values()):
        assert "pull_request_target" not in text
    pinned = [step["uses"] for step in steps if "uses" in step]
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one) for one in pinned), pinned


@pytest.mark.parametrize("file", OWN_WORKFLOWS, ids=lambda file: file.name)
def test_the_workflows_of_this_repository_name_commits_and_have_no_rights(file: Path) -> None:
    assert tool("zizmor", "--offline", "--quiet", "--pedantic", file) == (
        0,
        "No findings to report. Good job!\n",
    )
    code, said = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", file)
    assert code == 0, said
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        for verb in re.findall(
            r"make ((?:[a-z-]+ ?)+)", "\n".join(step.get("run", "") for step in job["steps"])
        ):
            for name in verb.split():
                assert re.search(
                    rf"^{name}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
                ), name


def test_tests_run_on_each_python_and_weekly_on_what_is_newest() -> None:
    workflows = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in OWN_WORKFLOWS}
    (tests,) = workflows["tests"]["jobs"].values()
    assert tests["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    # YAML 1.1 reads the key `on` as true.
    assert "schedule" in workflows["latest"][True]


# -- schemas


def test_each_file_is_as_its_schema_says(workflow: Path, tmp_path: Path) -> None:
    gitlab = [written(tmp_path, "gitlab.yml", EXAMPLES[".gitlab-ci.yml"])]
    for number, document in enumerate(TEMPLATE.read_text(encoding="utf-8").split("\n---\n")):
        # The checker takes one document a file.
        gitlab.append(written(tmp_path, f"template-{number}.yml", document))
    for schema, files in (
        ("github-actions", [ACTION]),
        ("github-workflows", [workflow]),
        ("gitlab-ci", gitlab),
    ):
        code, said = tool("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
        assert code == 0, said
    config = written(tmp_path, "pre-commit.yaml", EXAMPLES[".pre-commit-config.yaml"])
    for verb, file in (("validate-manifest", HOOKS), ("validate-config", config)):
        code, said = tool("pre-commit", verb, file)
        assert code == 0, said


def test_the_page_lists_the_inputs_and_outputs_of_the_action_and_the_template() -> None:
    document = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    listed = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(listed) == {*document["inputs"], *document["outputs"]}
    header, _ = yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8"))
    inputs = {*document["inputs"]} - {"token", "python"} | {"project", "ref", "job", "stage", "image"}
    assert set(header["spec"]["inputs"]) == inputs
    given = yaml.safe_load(EXAMPLES[".gitlab-ci.yml"])["include"][0]["inputs"]
    assert set(given) <= inputs
    assert {"project", "ref"} == {
        name for name, one in header["spec"]["inputs"].items() if "default" not in one
    }
    include = yaml.safe_load(EXAMPLES[".gitlab-ci.yml"])["include"][0]
    assert (given["project"], given["ref"]) == (include["project"], include["ref"])


# -- shell


def scripts() -> Iterator[tuple[str, str]]:
    for step in yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]:
        if "run" in step:
            yield step["name"], f"# shellcheck shell=bash\n{step['run']}"
    (job,) = list(yaml.safe_load_all(TEMPLATE.read_text(encoding="utf-8")))[1].values()
    yield TEMPLATE.name, "\n".join(["# shellcheck shell=sh", *job["script"]])
    for path in (".ci/run", "tools/environment", "tools/lock", "tools/test-all"):
        yield path, (ROOT / path).read_text(encoding="utf-8")


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    files = [written(tmp_path, f"{at}.sh", f"{text}\n") for at, (_, text) in enumerate(scripts())]
    assert len(files) == 7
    code, said = tool("shellcheck", "--norc", "--enable=quote-safe-variables", *files)
    assert code == 0, said


# -- hooks


@pytest.fixture
def committed(tmp_path: Path) -> Repository:
    """A repository with the hooks of this one; they run the command that is installed here, so nothing is fetched."""
    made = repository_in(tmp_path / "project")
    hooks = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["sfml-validate", "sfml-fix"]
    for hook in hooks:
        assert hook["language"] == "python", "pre-commit installs it from the repository"
        hook["language"] = "system"
        hook["entry"] = str(BIN / hook["entry"])
    made.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    made.commit("Use hooks")
    return made


def hook(it: Repository, name: str) -> tuple[int, str]:
    it.git("add", "-A")
    environment = {
        **os.environ,
        "PRE_COMMIT_HOME": str(it.folder.parent / "home"),
        "PRE_COMMIT_COLOR": "never",
    }
    done = subprocess.run(
        (str(BIN / "pre-commit"), "run", name), cwd=it.folder, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("specs/churn/job_config.yaml", "after: [train]", "after: [trian]", "job_config.yaml:17"),
        ("specs/shared/scoring.yaml", "{sql:", "{sqll:", "scoring.yaml:3"),
        ("steps/churn/gate.py", "value: float", "measure: float", "job_config.yaml:18"),
    ],
    ids=["a graph", "an include", "a step"],
)
def test_a_changed_file_checks_the_specs_that_use_it(
    committed: Repository, file: str, old: str, new: str, found: str
) -> None:
    committed.edit(file, old, new)
    code, said = hook(committed, "sfml-validate")
    assert code == 1 and found in said, said


def test_what_no_spec_can_use_runs_no_hook(committed: Repository) -> None:
    committed.write("README.md", "Pipelines\n")
    code, said = hook(committed, "sfml-validate")
    assert code == 0 and "Skipped" in said
    committed.write("sql/other.sql", "select 1\n")
    code, said = hook(committed, "sfml-validate")
    assert code == 0 and "Passed" in said


def test_the_other_hook_mends(committed: Repository) -> None:
    committed.edit("specs/churn/job_config.yaml", "outcomes: [publish,", "outcomes: [publich,")
    code, said = hook(committed, "sfml-fix")
    assert code == 1 and "files were modified by this hook" in said
    assert "outcomes: [publish," in (committed.folder / "specs/churn/job_config.yaml").read_text(
        encoding="utf-8"
    )
    assert hook(committed, "sfml-validate")[0] == 0
