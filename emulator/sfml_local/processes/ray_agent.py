"""Stands in for the agent of a Ray node: tells the node that nobody listens for its dashboard and its metrics.

Run as a script with the arguments of Ray's own agent; a node waits for its agent's files of ports, and ends with its
agent. -1 is what the agent of a Ray without its dashboard's packages writes. Uses only the standard library.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port")


def main(*arguments: str) -> None:
    given = dict(argument[2:].split("=", 1) for argument in arguments if "=" in argument)
    for name in PORTS:
        file = Path(given["session-dir"], f"{name}_{given['node-id']}")
        new = file.with_suffix(".new")
        new.write_text("-1", encoding="ascii")
        new.replace(file)
    while True:
        signal.pause()  # until the node's process ends it


if __name__ == "__main__":
    main(*sys.argv[1:])
