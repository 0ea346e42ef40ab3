"""`ray start` without the services that a cluster on one machine has no use for.

Run as a script, as `ray_start.py OPTION…`, with the options of `ray start`; it also runs in environments of jobs.
Two nodes and their first tasks take half of the processor time without:

- the dashboard, which without its pages only reports usage;
- the server of Ray Client: its port is random, and clients outside of the job do not know it;
- the agent of each node for dashboard and metrics: `ray_agent.py` stands in for it;
- the groups of the `ray` command that are not used here. One imports pandas.

What jobs use stays: nodes, resources, runtime environments, other nodes' output, and the monitor, which tells of
requests that no node can meet.

Ray has no options for it. So it is done in versions in which it was seen to work; others start as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEEN_WITH = "2.60."

NOBODY = b"127.0.0.1:9"

UNUSED_GROUPS = ("ray.serve.scripts", "ray.util.state.state_cli", "ray.dashboard.modules.job.cli")
"""Modules of the `ray` command, which does without those that cannot be imported."""


def main(*options: str) -> None:
    import ray

    if ray.__version__.startswith(SEEN_WITH):
        leave_out_services()
    from ray.scripts import scripts

    sys.argv = ["ray", "start", *options]
    command: Callable[[], None] = scripts.main
    command()


def leave_out_services() -> None:
    """Change Ray in this process, which starts a node."""
    from ray._private import ray_constants, services
    from ray._private.node import Node

    python_command = services._build_python_executable_command_memory_profileable

    def command_of(component: str, *others: Any, **named: Any) -> list[str]:
        if component == ray_constants.PROCESS_TYPE_DASHBOARD_AGENT:
            return [sys.executable, "-I", "-S", str(Path(__file__).with_name("ray_agent.py"))]
        return list(python_command(component, *others, **named))

    services._build_python_executable_command_memory_profileable = command_of
    starts = {"start_api_server": _without_dashboard, "start_ray_client_server": lambda node: None}
    for name, function in starts.items():
        setattr(Node, name, function)
    for name in UNUSED_GROUPS:
        sys.modules[name] = None  # type: ignore[assignment]


def _without_dashboard(node: Any, **_: Any) -> None:
    """Note an address at which nobody listens: without any, Ray's State API waits 40 seconds until it refuses."""
    from ray._private import ray_constants

    node.get_gcs_client().internal_kv_put(
        ray_constants.DASHBOARD_ADDRESS.encode(), NOBODY, True, ray_constants.KV_NAMESPACE_DASHBOARD
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
