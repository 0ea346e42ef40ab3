"""What this project installs: declared where it is imported, locked with hashes, and never under a stranger's name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sfml import __distribution__, __version__

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def names(requirements: list[str]) -> set[str]:
    """The packages of requirements, with those of the extras that they name."""
    found: set[str] = set()
    for requirement in map(Requirement, requirements):
        if requirement.name == __distribution__:
            found |= set(chain.from_iterable(names(EXTRAS[extra]) for extra in requirement.extras))
        else:
            found.add(canonicalize_name(requirement.name))
    return found


CORE = names(PROJECT["project"]["dependencies"])
SNOWFLAKE, LOCAL, RAY, LSP, UI, DEMO, DEV = (
    CORE | names(EXTRAS[name]) for name in ("snowflake", "local", "ray", "lsp", "ui", "demo", "dev")
)


# -- imports

MODULES = {
    "_pytest": "pytest",
    "google": "protobuf",
    "jinja2": "jinja2",
    "markdown_it": "markdown-it-py",
    "opentelemetry": "opentelemetry-api",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "sklearn": "scikit-learn",
    "snowflake.connector": "snowflake-connector-python",
    "snowflake.core": "snowflake-core",
    "snowflake.ml": "snowflake-ml-python",
    "snowflake.snowpark": "snowflake-snowpark-python",
    "xdist": "pytest-xdist",
    "yaml": "pyyaml",
}
"""Distributions that are not named as what is imported of them."""

ROOMS = (
    ("emulator/sfml_local/job_runtime", RAY | {"lightgbm", "numpy", "xgboost"}),
    ("emulator/sfml_local/processes", LOCAL | {"ray"}),  # where a job of several instances is started with it
    ("emulator", LOCAL),
    ("compiler/sfml/testing", LOCAL),
    ("compiler/sfml/snowflake", SNOWFLAKE),
    ("compiler/sfml/cli", SNOWFLAKE),
    ("compiler/sfml/lsp", LSP),
    ("compiler/sfml/ui", UI),
    ("compiler", CORE),
    ("steps", DEMO),
    ("examples/two_instances", DEMO | RAY),
    ("examples", DEMO | {"pytest"}),
    (
        "tests/local/jobs",
        DEV | {"snowflake"},
    ),  # `snowflake.telemetry`, which the server brings where it is missing
    ("tests", DEV),
    ("tools", DEV),
    ("benchmarks", DEV),
)
"""What a folder may import; the first row that fits. Jobs of users import what their runtime holds."""

BROUGHT_BY_THE_USER = {"compiler/sfml/pytest_plugin.py": {"pytest"}}

OF_AN_EXTRA = {"compiler/sfml/base/exported_runs.py": {"pyarrow"}}
"""What a file of the core imports where it is used, and does without."""


_IMPORT = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w[\w.]*)", re.MULTILINE)


@cache
def mentioned(path: Path) -> frozenset[str]:
    """The distributions of what lines of a file begin to import, if only in a text; each import has its own line."""
    modules = frozenset(_IMPORT.findall(path.read_text(encoding="utf-8")))
    return frozenset(filter(None, map(distribution_of, modules)))


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules of others that a file imports, those for types alone left out."""
    found: set[str] = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            whole = node.module == "snowflake"
            found |= {f"snowflake.{alias.name}" for alias in node.names} if whole else {node.module}
        elif not isinstance(node, ast.expr):
            nodes += ast.iter_child_nodes(node)
    return frozenset(found)


@cache
def distribution_of(module: str) -> str | None:
    """The distribution that brings a module; None for Python's and this repository's own."""
    first, _, rest = module.partition(".")
    if first in sys.stdlib_module_names or first in OWN:
        return None
    two = f"{first}.{rest.partition('.')[0]}"
    return canonicalize_name(MODULES.get(two) or MODULES.get(first) or first)


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns),
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


SOURCES = [path for path in tracked("*.py") if "tests/acceptance/validate" not in path.as_posix()]
OWN = {path.stem for path in SOURCES} | {path.parent.name for path in SOURCES}
OWN -= {module.split(".")[0] for module in MODULES} | DEV
"""Names of modules and packages in this repository; what is named as one of others is taken for that."""


def undeclared() -> Iterator[str]:
    for path in SOURCES:
        place = path.relative_to(ROOT).as_posix()
        allowed = next((extra for folder, extra in ROOMS if place.startswith(f"{folder}/")), DEV)
        allowed = allowed | BROUGHT_BY_THE_USER.get(place, set()) | OF_AN_EXTRA.get(place, set())
        for module in () if mentioned(path) <= allowed else imports(path):
            distribution = distribution_of(module)
            if distribution is not None and distribution not in allowed:
                yield f"{place} imports {module}: {distribution} is not declared for it"


def test_every_import_is_of_a_declared_dependency() -> None:
    assert sorted(set(undeclared())) == []


def test_every_declared_dependency_is_imported() -> None:
    """But for data; in `dev` stand commands and types."""
    assert {name for name in CORE | RAY | DEMO if not is_imported(name)} == {"tzdata"}


def is_imported(distribution: str) -> bool:
    naming = (path for path in SOURCES if distribution in mentioned(path))
    return any(distribution in map(distribution_of, imports(path)) for path in naming)


# -- the lock


def lock(name: str) -> list[tuple[Requirement, int]]:
    """The pins of a lock, each with how many hashes it has."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text)
    pins = [block for block in blocks if re.match(r"[A-Za-z0-9]", block)]
    return [
        (Requirement(block.split(" \\\n")[0]), len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)))
        for block in pins
    ]


def locked(name: str, python: str) -> dict[str, str]:
    """The versions that a lock has for a Python on Linux."""
    environment = {
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "platform_machine": "x86_64",
        "platform_system": "Linux",
    }
    return {
        canonicalize_name(pin.name): str(next(iter(pin.specifier)).version)
        for pin, _ in lock(name)
        if pin.marker is None or pin.marker.evaluate(environment)
    }


@pytest.mark.parametrize("name", ["core.txt", "dev.txt", "local.txt"])
def test_a_lock_has_hashes_wheels_only_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert re.findall(r"^(?:-.*|.*(?:://|file:|@ ).*)$", text, re.MULTILINE) == ["--only-binary :all:"]
    pins = lock(name)
    assert len(pins) == len(re.findall(r"^[A-Za-z0-9].*==", text, re.MULTILINE))
    for pin, hashes in pins:
        assert [one.operator for one in pin.specifier] == ["=="], pin
        assert hashes, pin


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_is_within_the_ranges(python: str) -> None:
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.15"
    build = [*PROJECT["dependency-groups"]["build"], *PROJECT["build-system"]["requires"]]
    everything = chain(PROJECT["project"]["dependencies"], build, *EXTRAS.values())
    versions = locked("dev.txt", python)
    for requirement in map(Requirement, everything):
        if requirement.name != __distribution__:
            version = versions[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), f"{requirement} is not {version}; make lock"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_core_is_the_same_part_of_the_whole(python: str) -> None:
    core, whole = locked("core.txt", python), locked("dev.txt", python)
    assert core.items() <= whole.items()
    assert {*CORE, "hatchling"} <= core.keys()
    assert not core.keys() & (SNOWFLAKE - CORE - {"tomlkit"}), "the core needs no Snowflake package"


def test_a_bound_below_the_next_version_has_its_reason() -> None:
    """Every upper bound that is narrower than a major version stands under a comment."""
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        match = re.match(r'\s+"([^"]+)",$', line)
        if match and re.search(r"<\d+\.\d", match[1]) and not match[1].startswith(("fakesnow", "ruff")):
            assert before.lstrip().startswith("# "), f"why {match[1]}?"


def test_the_package_says_the_version_of_the_distribution() -> None:
    assert PROJECT["project"]["name"] == __distribution__ == "sfml-snowflake"
    assert PROJECT["project"]["version"] == __version__


# -- what people are told to install

_WORDS = r"""((?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|[^\s"'`;|&)#,]+))+)"""
_INSTALL = re.compile(rf"\b(?:(?:pip3?|pipx|uv pip|uv tool)\s+install|uv\s+add|uvx){_WORDS}")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[\w,]*\])?(?:[<>=!~]=?.*)?")
_OLD_NAME = re.compile(r"(?<![\w/.-])sfml(?:\[(?:snowflake|local|ray|demo|dev)\]|==)")
TEXTS = [
    path
    for path in tracked("*.md", "*.py", "*.yml", "*.yaml", "*.txt", "*.toml", "Makefile", "tools/*", ".ci/*")
    if path.relative_to(ROOT).parts[:2] not in {("tests", "corpus"), ("tests", "data")}
    and path not in (Path(__file__), ROOT / "CHANGELOG.md")
]


def packages_in(text: str) -> set[str]:
    """The packages that commands in a text install: no options, paths, addresses or variables."""
    found: set[str] = set()
    for command in _INSTALL.findall(text):
        takes_value = False
        for word in command.split():
            plain = word.strip("'\"`,.:")
            match = None if takes_value else _NAME.fullmatch(plain)
            takes_value = word in ("-r", "-c", "-t", "--requirement", "--constraint", "--python", "--target")
            if match:
                found.add(canonicalize_name(match[1]))
    return found


@pytest.mark.parametrize(
    ("text", "packages"),
    [
        ("pip install sfml  # checks", {"sfml"}),
        ('pip install "sfml[local]" pytest', {"sfml", "pytest"}),
        ("`pip install --upgrade 'a.b_c>=1,<2'` does", {"a-b-c"}),
        ("python -m pip install -r requirements.txt -- ./sfml", set()),
        ('pip install "./sfml[local]" git+https://HOST/sfml', set()),
        ('-I -m pip install --quiet -- "$SFML_INSTALL"', set()),
        ("uv add left-pad; uvx sfml", {"left-pad", "sfml"}),
    ],
)
def test_packages_are_found_in_commands(text: str, packages: set[str]) -> None:
    assert packages_in(text) == packages


def test_nobody_is_told_to_install_what_is_not_known() -> None:
    known = DEV | {__distribution__, "pip", "coverage"}  # the last for `tools/coverage` alone
    wrong: list[str] = []
    for path in TEXTS:
        text = path.read_text(encoding="utf-8", errors="replace")
        where = path.relative_to(ROOT)
        wrong += [f"{where}: {name} is not ours, nor a dependency" for name in packages_in(text) - known]
        wrong += [f"{where}: {match} is another project" for match in _OLD_NAME.findall(text)]
    assert wrong == []


def test_what_the_example_requires_is_known() -> None:
    for path in tracked("examples/*/requirements.txt"):
        lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
        named = {line for line in lines if line and not line.startswith((".", "-"))}
        assert names(sorted(named)) <= DEV, path
