"""What `sfml validate` and `sfml compile` import: nothing that takes long and that a right spec does not need.

By name and not by time, so that a busy machine says the same; `make bench` has the times.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

LIBRARIES = {"click", "yaml", "cronsim"}
"""Those a right spec needs. `jsonschema` tells what is wrong with one, `jinja2` works out what it calculates."""

HEAVY = {
    "asyncio",
    "concurrent",
    "email",
    "http",
    "importlib.metadata",
    "logging",
    "socket",
    "ssl",
    "subprocess",
}
"""Parts of Python that take longer to import than all that we would use of them."""

LATER_ROOMS = {
    "cost",
    "policies",
    "grammar",
    "plan",
    "deploy",
    "runs",
    "snowflake",
    "local",
    "testing",
    "review",
    "ci",
}

SLOW_CLASSES = {"Position", "Span", "GraphShape", "Module"}
"""Dataclasses with an order, an `__init__` or an equality of their own; others are cheaper to define by `@record`."""

PROBE = """
import json, sys
before = set(sys.modules)
from sfml.cli.entry import run
code = run(sys.argv[1:])
new = {name: sys.modules[name] for name in set(sys.modules) - before}
classes = {
    one.__name__: one.__dataclass_params__
    for name, module in new.items() if name.startswith("sfml.")
    for one in vars(module).values()
    if isinstance(one, type) and "__dataclass_params__" in vars(one) and one.__module__ == name
}
print(json.dumps({
    "code": code,
    "modules": sorted(new),
    "libraries": sorted({
        name.split(".")[0]
        for name, module in new.items() if "site-packages" in str(getattr(module, "__file__", ""))
    }),
    "slow_classes": sorted(name for name, made in classes.items() if made.init and made.frozen),
    "quick_classes": sum(not made.init for made in classes.values()),
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start_up")
    for name in ("specs", "steps/clv"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sfml.yaml", folder)
    return folder


def started(project: Path, command: str) -> dict[str, Any]:
    """What a process of the command had imported at its end."""
    done = subprocess.run(
        (sys.executable, "-c", PROBE, command, "specs/clv.yaml", "--quiet"),
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["code"] == 0, done.stderr
    return found


@pytest.mark.parametrize("command", ["validate", "compile"])
def test_it_imports_no_more_than_it_needs(project: Path, command: str) -> None:
    found = started(project, command)
    assert set(found["libraries"]) - {"_yaml"} == LIBRARIES
    modules = set(found["modules"])
    assert not modules & HEAVY
    later = LATER_ROOMS | ({"lower"} if command == "validate" else set())
    assert not {name for name in modules if name.startswith("sfml.") and name.split(".")[1] in later}


@pytest.mark.parametrize("command", ["validate", "compile"])
def test_its_classes_are_quick_to_define(project: Path, command: str) -> None:
    found = started(project, command)
    assert found["quick_classes"] > 40
    assert set(found["slow_classes"]) <= SLOW_CLASSES


def test_the_library_is_there_for_what_does_not_fit(project: Path) -> None:
    """Else the tests above would pass because nothing is checked."""
    graph = project / "specs" / "wrong.yaml"
    graph.write_text("version: 1\npipeline: wrong\nschedule: 7\ngraph: {tasks: {}}\n", encoding="utf-8")
    probe = (
        "import sys; from sfml.cli.entry import run; run(sys.argv[1:]); print('jsonschema' in sys.modules)"
    )
    done = subprocess.run(
        (sys.executable, "-c", probe, "validate", "specs/wrong.yaml"),
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "SF11" in done.stdout and done.stdout.endswith("True\n")
