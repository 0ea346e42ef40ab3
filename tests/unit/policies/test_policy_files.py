"""Files of policies: what is wrong in them is a finding at its place; Python is read without being run."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfml.base.diagnostic import Diagnostic
from sfml.frontend.reading import read
from sfml.frontend.team_policies import with_policies
from sfml.policies.model import Level
from sfml.policies.policy_set import every_preset, folder_on_disk, policies_on_disk, preset_policies
from sfml.policies.python_policies import python_policies
from sfml.policies.yaml_policies import yaml_policies
from sfml.spec.compose import compose
from sfml.spec.nodes import MapNode

HEAD = "version: 1\npolicies:\n  - code: {code}\n    title: t\n"
POLICY = (
    "version: 1\npolicies:\n  - code: ML1\n    title: t\n    about: {about}\n    where: {where}\n"
    "    field: {field}\n    condition: {condition}\n    message: {message}\n"
)


def findings(**parts: str) -> list[Diagnostic]:
    given = {
        "about": "task",
        "where": "{kind: {set: true}}",
        "field": "timeout",
        "condition": "{at_most: 4h}",
    }
    text = POLICY.format(**{**given, "message": "m", **parts})
    return list(yaml_policies(text, "policies/a.yaml").findings)


@pytest.mark.parametrize(
    ("parts", "line", "words"),
    [
        ({"field": "timout"}, 7, "a task has no field `timout`"),
        ({"field": "retries"}, 7, "a task has no field `retries`"),
        ({"field": "tags."}, 7, "a task has no field `tags.`"),
        (
            {"about": "pipeline", "where": "{name: {set: true}}", "field": "pip"},
            7,
            "a pipeline has no field `pip`",
        ),
        ({"where": "{knd: {equals: sql}}"}, 6, "a task has no field `knd`"),
        ({"condition": "{at_most: soon}"}, 8, "`at_most` of `timeout` takes a duration"),
        ({"condition": "{like: 4h}"}, 8, "`like` does not go with `timeout`, which is a number"),
        ({"condition": "{at_mst: 4h}"}, 8, "unknown key `at_mst`"),
        ({"condition": "{}"}, 8, "must not be empty"),
        ({"field": "packages", "condition": "{like: a}"}, 8, "write `all: {like: …}`"),
        (
            {"field": "packages", "condition": "{all: {at_most: 1}}"},
            8,
            "`at_most` does not go with `packages[]`",
        ),
        ({"field": "kind", "condition": "{equals: 3}"}, 8, "`kind` is a text; `3` never equals it"),
        ({"field": "finalizer", "condition": '{equals: "yes"}'}, 8, "`yes` never equals it"),
        ({"field": "run_on", "condition": "{equals: a}"}, 8, "which is made of several fields"),
        ({"message": '"{tusk} is wrong"'}, 9, "the message holds `{tusk}`"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_policy_is_told_at_its_place(
    parts: dict[str, str], line: int, words: str
) -> None:
    found = findings(**parts)
    assert [one for one in found if words in one.message], found
    assert {one.span.start.line for one in found if one.span} == {line}


@pytest.mark.parametrize("field", ["with.any.thing", "tags.OWNER", "pipeline.config.x", "expect.takes.high"])
def test_fields_of_mappings_are_known_by_any_name(field: str) -> None:
    assert findings(field=field, condition="{set: true}") == []


@pytest.mark.parametrize("code", ["SF999", "SF1", "ml1", "M", "ML-1", '"ML 1"'])
def test_codes_that_are_none(code: str) -> None:
    text = POLICY.format(
        about="task", where="{kind: {set: true}}", field="name", condition="{set: true}", message="m"
    )
    found = yaml_policies(text.replace("ML1", code), "a.yaml").findings
    assert [one.code for one in found] == ["SF530"] and found[0].span and found[0].span.start.line == 3


IMPORT = "from sfml.policies import policy\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@policy\ndef a(task): ...\n", "has no code"),
        ("@policy()\ndef a(task): ...\n", "has no code"),
        ("X = 'ML1'\n@policy(X)\ndef a(task): ...\n", "the code of a policy is not a literal"),
        ("@policy('SF100')\ndef a(task): ...\n", "begins like the codes of sfml's own rules"),
        ("@policy('ML1', severity='fatal')\ndef a(task): ...\n", "the severity of a policy is"),
        ("@policy('ML1', severity={'prod': 'fatal'})\ndef a(task): ...\n", "the severity of a policy is"),
        ("@policy('ML1', colour='red')\ndef a(task): ...\n", "does not take `colour`"),
        ("@policy('ML1', 'error')\ndef a(task): ...\n", "does not take `argument 2`"),
        ("@policy('ML1', **{})\ndef a(task): ...\n", "does not take `**`"),
        ("@policy('ML1')\ndef a(): ...\n", "a policy takes any of"),
        ("@policy('ML1')\ndef a(spec): ...\n", "does not take `spec`"),
        ("@policy('ML1')\nasync def a(task): ...\n", "is not `async`"),
        ("@policy('ML1')\ndef a(task, *more): ...\n", "a policy takes any of"),
        ("class A:\n    @policy('ML1')\n    def a(task): ...\n", "stands at the top of its module"),
        ("def b():\n    @policy('ML1')\n    def a(task): ...\n", "stands at the top of its module"),
        ("def a(:\n", "is not valid Python"),
        ("x = '\0'\n", "null"),
    ],
)
def test_what_is_wrong_with_a_python_policy(text: str, words: str) -> None:
    found = python_policies(IMPORT + text, "policies/a.py", "a")
    assert found.policies == ()
    assert [one for one in found.findings if words in one.message and one.code == "SF530"], found.findings


@pytest.mark.parametrize(
    "text",
    [
        "from sfml.policies import policy\n@policy('ML1')\ndef a(task): ...\n",
        "from sfml.policies import policy as p\n@p('ML1')\ndef a(task): ...\n",
        "import sfml.policies\n@sfml.policies.policy('ML1')\ndef a(task): ...\n",
        "import sfml.policies as q\n@q.policy('ML1')\ndef a(task): ...\n",
        "from sfml.policies import policy\nif True:\n    @policy('ML1')\n    def a(task): ...\n",
        "try:\n    from sfml.policies import policy\nexcept ImportError:\n    pass\n@policy('ML1')\ndef a(task): ...\n",
        "from sfml import policies\n@policies.policy('ML1')\ndef a(task): ...\n",
        "from sfml.policies import policy\n@policy(code='ML1', severity='error', help='h')\ndef a(*, task): ...\n",
    ],
)
def test_a_policy_is_known_under_any_name(text: str) -> None:
    found = python_policies(f"raise SystemExit('this is not run')\n{text}", "policies/a.py", "a")
    assert [one.code for one in found.policies] == ["ML1"] and not found.findings


def test_functions_of_others_are_no_policies() -> None:
    text = "from other import policy\n@policy('ML1')\ndef a(task): ...\n"
    assert python_policies(text, "policies/a.py", "a").policies == ()


def test_a_module_that_would_hide_one_of_python_is_refused() -> None:
    found = python_policies(IMPORT + "@policy('ML1')\ndef a(task): ...\n", "policies/json.py", "json")
    assert found.policies == () and "named like a module of Python" in found.findings[0].message


def test_each_preset_holds_those_before_it() -> None:
    counts = [len(tuple(preset_policies(name))) for name in (None, "minimal", "standard", "strict")]
    assert counts == sorted(counts) and counts[0] == 0 and len(set(counts)) == 4
    for policies in every_preset().values():
        for policy in policies:
            assert policy.title and policy.what and policy.why and policy.help, policy.code
            assert Level.OFF not in policy.severity.values()


def codes(root: Path, section: str, **files: str) -> list[tuple[str, str]]:
    (root / "policies").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "policies" / name.replace("_", ".")).write_text(text, encoding="utf-8")
    node, _ = compose(f"version: 1\ntargets: {{prod: {{}}}}\npolicies: {section}\n", "sfml.yaml")
    assert isinstance(node, MapNode)
    return [(one.code, one.message) for one in policies_on_disk(root, node, ("prod",)).findings]


ONE = POLICY.format(
    about="task", where="{kind: {set: true}}", field="name", condition="{set: true}", message="m"
)


@pytest.mark.parametrize(
    ("section", "files", "code"),
    [
        ("{}", {"a_yaml": ONE}, None),
        ("{}", {"a_yaml": ONE, "b_yaml": ONE}, "SF531"),
        ("{}", {"a_yaml": ONE, "b_py": IMPORT + "@policy('ML1')\ndef a(task): ...\n"}, "SF531"),
        ("{preset: minimal}", {"a_yaml": ONE.replace("ML1", "SFP101")}, "SF531"),
        ("{severity: {ML1: error}}", {"a_yaml": ONE}, None),
        ("{severity: {ML2: error}}", {"a_yaml": ONE}, "SF532"),
        ("{severity: {ML1: {prd: error}}}", {"a_yaml": ONE}, "SF530"),
        ("{severity: {ML1: {production: error, default: off}}}", {"a_yaml": ONE}, None),
        ("{}", {"a_py": IMPORT + "@policy('ML1', severity={'prd': 'error'})\ndef a(task): ...\n"}, "SF530"),
        ("{timeout: 1 year}", {}, "SF530"),
        ("{timeout: 6m}", {}, "SF530"),
        ("{folder: ../x}", {}, "SF121"),
        ("{folder: nowhere}", {}, "SF121"),
        ("{folder: /etc}", {}, "SF121"),
        ("{}", {"a_yaml": "version: 2\n"}, "SF113"),
        ("{}", {"a_yaml": "version: 1\npolicys: []\n"}, "SF110"),
        ("{}", {"a_yaml": "version: 1\npolicies: [{code: ML1}]\n"}, "SF111"),
        ("{}", {"a_yaml": "version: 1\n\tx"}, "SF101"),
    ],
    ids=str,
)
def test_what_is_wrong_between_policies(
    section: str, files: dict[str, str], code: str | None, tmp_path: Path
) -> None:
    assert {one for one, _ in codes(tmp_path, section, **files)} == ({code} if code else set())


PROJECT = "version: 1\ntargets:\n  local: {{kind: local, default: true}}\npolicies: {section}\n"
SPEC = """\
version: 1
pipeline: shop
schedule: manual
graph:
  tasks:
    take: {{sql: SELECT 1{comment}}}
"""


def codes_of(root: Path, section: str, policies: str, spec: str = "") -> list[str]:
    (root / "policies").mkdir(exist_ok=True)
    (root / "policies" / "a.yaml").write_text(policies, encoding="utf-8")
    (root / "sfml.yaml").write_text(PROJECT.format(section=section), encoding="utf-8")
    (root / "shop.yaml").write_text(spec or SPEC.format(comment=""), encoding="utf-8")
    (reading,) = with_policies([read(root / "shop.yaml", user="ada")])
    return [one.code for one in reading.diagnostics]


NAMES = ONE.replace("condition: {set: true}", "condition: {like: x_*}")


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{}", ["ML1"]),
        ("", ["SF116", "ML1"]),
        ("{severity: {ML1: off}}", []),
        ("{severity: {ML1: {local: error}}}", ["ML1"]),
        ("{severity: {ML1: {production: error}}}", ["ML1"]),
        ("{severity: {ML1: {local: off, default: error}}}", []),
    ],
)
def test_the_project_file_decides_how_serious_a_policy_is(
    section: str, expected: list[str], tmp_path: Path
) -> None:
    assert codes_of(tmp_path, section, NAMES) == expected


@pytest.mark.parametrize(
    ("comment", "section", "expected"),
    [
        ("# sfml: ignore ML1 -- it is old", "{}", []),
        ("# sfml: ignore ml1 -- it is old", "{}", []),
        ("# sfml: ignore ML1", "{}", ["SF150"]),
        ("# sfml: ignore ML2 -- it is old", "{}", ["SF150"]),
        ("# sfml: ignore ML1 -- it is old", "{severity: {ML1: error}}", ["SF150", "ML1"]),
    ],
)
def test_a_finding_is_silenced_like_any_other(
    comment: str, section: str, expected: list[str], tmp_path: Path
) -> None:
    spec = SPEC.format(comment="").replace("SELECT 1}", "SELECT 1}  " + comment)
    assert sorted(codes_of(tmp_path, section, NAMES, spec)) == sorted(expected)


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A project beside a folder of policies that is none of its own."""
    for folder in ("project/policies", "project/team", "outside"):
        (tmp_path / folder).mkdir(parents=True)
    text = POLICY.format(
        about="task", where="{kind: {set: true}}", field="timeout", condition="{at_most: 4h}", message="m"
    )
    for folder in ("project/team", "outside"):
        (tmp_path / folder / "a.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("link", "target"),
    [("policies", "team"), ("policies/a.yaml", "../team/a.yaml"), ("policies/b", "../team")],
)
def test_links_inside_the_project_are_followed(linked: Path, link: str, target: str) -> None:
    if link == "policies":
        (linked / link).rmdir()
    (linked / link).symlink_to(target)
    (linked / "policies" / "again").symlink_to(".")
    files = folder_on_disk(linked, "policies").files
    assert [name.rpartition("/")[2] for name in files] == ["a.yaml"]


@pytest.mark.parametrize(
    ("link", "target", "problem"),
    [
        ("policies", "../outside", "`policies` is a link that leads out of the project"),
        ("policies", "nowhere", "`policies` cannot be read: No such file or directory"),
        (
            "policies/a.yaml",
            "../../outside/a.yaml",
            "`policies/a.yaml` is a link that leads out of the project",
        ),
        ("policies/b", "../../outside", "`policies/b` is a link that leads out of the project"),
        ("policies/b", "b", "`policies/b` cannot be read: Too many levels of symbolic links"),
    ],
)
def test_links_that_lead_elsewhere_are_told(linked: Path, link: str, target: str, problem: str) -> None:
    if link == "policies":
        (linked / link).rmdir()
    (linked / link).symlink_to(target)
    assert folder_on_disk(linked, "policies").problem == problem


def test_a_link_to_what_holds_no_policies_is_left_out(linked: Path) -> None:
    (linked.parent / "outside" / "README.md").write_text("read me", encoding="utf-8")
    (linked / "policies" / "README.md").symlink_to("../../outside/README.md")
    folder = folder_on_disk(linked, "policies")
    assert (dict(folder.files), folder.problem) == ({}, None)
