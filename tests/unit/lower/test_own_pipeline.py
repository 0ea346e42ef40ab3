"""Our own pipeline, from YAML to the build folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sfml.base.resources import schema
from sfml.frontend.reading import read
from sfml.lower.desired import DesiredGraph
from sfml.lower.lower import lower
from sfml.lower.manifest import manifest, manifest_bytes

ROOT = Path(__file__).parents[3]
TARGETS = ("local", "dev", "prod")

PROGRAM = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("snowflake", "fakesnow", "duckdb", "pandas"):
            raise ImportError(f"{name} is not installed here")
sys.meta_path.insert(0, Refuse())
import hashlib
from pathlib import Path
from sfml.frontend.reading import read
from sfml.lower.lower import lower
from sfml.lower.write import build_files
from sfml.render.mermaid import mermaid
reading = read(Path(sys.argv[1]) / "specs/clv.yaml", target="prod", user="ada")
desired = lower(reading.graph, reading.catalog.closure, "0.1.0")
for path, content in build_files(desired, mermaid(reading.graph)).items():
    print(path, hashlib.sha256(content).hexdigest())
"""


def compiled(target: str) -> DesiredGraph:
    reading = read(ROOT / "specs" / "clv.yaml", target=target, user="ada")
    assert reading.graph is not None, reading.diagnostics
    return lower(reading.graph, reading.catalog.closure, "0.1.0")


def compiled_in(project: Path, cwd: Path, seed: str, zone: str) -> str:
    paths = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path if entry)
    environment = {"PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": paths, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", PROGRAM, str(project)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, check=True
    ).stdout


def test_the_same_bytes_from_another_folder_zone_and_seed_without_snowflakes_packages(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    for name in ("specs", "steps"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "sfml.yaml", copy)
    here = compiled_in(ROOT, ROOT, "1", "UTC")
    assert "manifest.json" in here
    assert here == compiled_in(copy, tmp_path, "4242", "Pacific/Auckland")


@pytest.mark.parametrize("target", TARGETS)
def test_its_manifest_is_what_the_schema_says(target: str) -> None:
    validator = Draft202012Validator(schema("output/manifest.schema.json"))
    errors = validator.iter_errors(manifest(compiled(target)))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("target", TARGETS)
def test_dag_and_tasks_say_the_same(target: str) -> None:
    pytest.importorskip("snowflake.core")
    from sfml.snowflake.dag import differences

    assert differences(compiled(target)) == ()


def test_the_gate_is_a_branch_of_two_and_training_an_ml_job() -> None:
    desired = compiled("prod")
    gate = desired.task("CLV$CHECK_MODEL_QUALITY")
    assert (gate.is_branch, gate.outcomes) == (
        True,
        {"promote_model": "PROMOTE_MODEL", "send_alert": "SEND_ALERT"},
    )
    tasks = json.loads(manifest_bytes(desired))["tasks"]
    assert [task["run_on"] for task in tasks if "ml_job" in task["definition"]] == [
        {"pool": "ML_POOL", "instances": 1}
    ]
