"""One instance of an ML Job with several: starts its node of the job's Ray cluster, then runs the instance's command.

Run as a script, as `ray_node.py HEAD PORT INDEX COMMAND…`: HEAD and PORT are the address of the first instance,
INDEX is the number of this one. The first runs COMMAND once its node is up; a process that `warm_parent` forked for it
is the command itself (`command_of`). The others wait with their nodes until
they are ended. Uses only the standard library, because it also runs in environments of jobs.

Each instance has its own files, and its own address in 127.0.0.0/8, which is completely loopback on Linux.
The options are those of the container runtime's start_mlruntime.sh, where they make sense on one machine.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

OBJECT_STORE_BYTES = 256 * 2**20
"""Bytes of shared memory of one node; objects beyond it are spilled to disk."""

POLL_SECONDS = 0.1


def main(head: str, port: str, index: str, *command: str) -> None:
    if index == "0":
        _start_head(head, port)
        os.execv(command[0], command)
    _wait_for(head, int(port))
    address = address_of(head, int(index))
    print(f"Worker node started on address {address}. See more logs in the head node.", flush=True)
    worker = (f"--address={head}:{port}", '--resources={"node_tag:worker": 1}', "--block")
    # Not by exec: Ray needs half a minute to end when its head has gone. This process ends at once
    # on request, and its supervisor kills the rest.
    sys.exit(_start(*worker, *_options(address)))


def command_of(argv: Sequence[str]) -> Sequence[str]:
    """The command of a job's first instance, for which a process was forked, once its node is up."""
    if argv[1] != __file__:
        return argv
    _, _, head, port, _, *command = argv
    _start_head(head, port)
    return command


def _options(address: str) -> list[str]:
    """The options of every node."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [
        f"--node-ip-address={address}",
        f"--num-cpus={cores}",
        f"--object-store-memory={OBJECT_STORE_BYTES}",
        f"--temp-dir={Path.home() / 'ray'}",
        "--disable-usage-stats",
        "--log-style=record",
        "--log-color=false",
    ]


def _start_head(address: str, port: str) -> None:
    """Start the first node, and let this process join it when it is up; ends the process if it does not start."""
    # The default port can be used once on a machine, by a version of Ray whose server for clients is not left out.
    client_port = _free_port()
    head = (
        "--head",
        f"--port={port}",
        f"--ray-client-server-port={client_port}",
        "--include-dashboard=false",
    )
    if code := _start(*head, '--resources={"node_tag:head": 1}', *_options(address)):
        os._exit(code & 0xFF)
    os.environ["RAY_ADDRESS"] = f"{address}:{port}"


def _start(*options: str) -> int:
    """Start a node with this Python; returns the exit code."""
    program = Path(__file__).with_name("ray_start.py")
    return subprocess.run([sys.executable, str(program), *options]).returncode


def address_of(head: str, index: int) -> str:
    """The address of an instance; the instances of a job have consecutive addresses."""
    network, _, host = head.rpartition(".")
    return f"{network}.{int(host) + index}"


def _wait_for(host: str, port: int) -> None:
    """Return when the first instance's node listens; the server ends this process if that does not happen."""
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            time.sleep(POLL_SECONDS)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
