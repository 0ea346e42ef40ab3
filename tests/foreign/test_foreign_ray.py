"""What a node of Ray is started without, in versions in which it was seen to work (`processes/ray_start.py`)."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
from pathlib import Path

import pytest

from sfml_local.processes import ray_agent, ray_start

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


def test_nodes_are_started_with_a_version_of_ray_that_was_looked_at() -> None:
    version = importlib.metadata.version("ray")
    assert version.startswith(ray_start.SEEN_WITH), (
        f"Ray {version} starts with all of its services: run tests/local/jobs/test_job_instances.py with it"
    )


def test_a_node_starts_the_services_that_are_left_out_by_these_names() -> None:
    from ray._private import node, ray_constants, services

    head = inspect.getsource(node.Node.start_head_processes)
    assert "ray_constants.DASHBOARD_ADDRESS," in inspect.getsource(services.start_api_server)
    assert "self.start_api_server(" in head and "self.start_ray_client_server()" in head
    raylet = inspect.getsource(services.start_raylet)
    assert raylet.count("ray_constants.PROCESS_TYPE_DASHBOARD_AGENT") >= 1
    assert raylet.count("*_build_python_executable_command_memory_profileable(") >= 2
    assert ray_constants.PROCESS_TYPE_DASHBOARD_AGENT != ray_constants.PROCESS_TYPE_RUNTIME_ENV_AGENT
    assert all(option in raylet for option in ("--session-dir=", "--node-id="))


def test_the_files_of_an_agent_have_these_names() -> None:
    from ray._raylet import (
        DASHBOARD_AGENT_LISTEN_PORT_NAME,
        METRICS_AGENT_PORT_NAME,
        METRICS_EXPORT_PORT_NAME,
    )

    names = (METRICS_AGENT_PORT_NAME, METRICS_EXPORT_PORT_NAME, DASHBOARD_AGENT_LISTEN_PORT_NAME)
    assert set(names) == set(ray_agent.PORTS)


def test_the_command_of_ray_does_without_the_groups_that_are_not_used() -> None:
    spec = importlib.util.find_spec("ray.scripts.scripts")
    assert spec is not None and spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    for module in ray_start.UNUSED_GROUPS:
        assert f"\ntry:\n    from {module} import" in text, module
