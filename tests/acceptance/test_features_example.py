"""The example of a Feature Store: `plan` misses the feature view, and the general steps refresh and join it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import fork_server
import pytest
from conftest import ROOT, SFML, environment, finished


@pytest.fixture
def project(tmp_path: Path) -> Path:
    left_out = shutil.ignore_patterns(".sfml", "__pycache__")
    return Path(shutil.copytree(ROOT / "examples" / "features", tmp_path / "features", ignore=left_out))


def test_the_example_makes_a_training_set(project: Path) -> None:
    env = environment(project)

    def sfml(*arguments: str) -> str:
        done = fork_server.run((str(SFML), *arguments), cwd=project, env=env, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    sfml("local", "start")
    try:
        plan = fork_server.run((str(SFML), "plan"), cwd=project, env=env, timeout=300)
        assert plan.returncode == 1
        assert 'feature view SHOP.FEATURES."SPENT$v1", for refresh, make' in plan.stdout
        status = json.loads(sfml("local", "status", "-o", "json"))
        keys = ("host", "port", "protocol", "account", "user", "password")
        own = {f"SNOWFLAKE_{key.upper()}": str(status[key]) for key in keys}
        own["SNOWFLAKE_WAREHOUSE"] = "LOCAL_WH"
        finished(sys.executable, "register.py", cwd=project, env={**env, **own})
        assert "feature view" not in sfml("plan")
        sfml("apply", "--auto-approve")
        assert "10 rows in" in sfml("run")
        rows = sfml("local", "sql", "SELECT total FROM shop.public.training ORDER BY customer", "-o", "json")
        assert "3800" in rows
    finally:
        sfml("local", "stop")
