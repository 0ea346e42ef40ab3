"""Several processes that apply graphs of their own to one pipeline, each waiting for the lease."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any

from carrying import QUICK, account
from graphs import compiled

from sfml.operations.apply_plan import planned_graph, work_of
from sfml.operations.deployer import Deployer
from sfml.operations.held_lease import holding, new_lease


def contend(number: int, rounds: int, arguments: Mapping[str, Any]) -> None:
    with account(arguments) as connected:
        for turn in range(rounds):
            body = f"select {number}{turn}"
            graph = compiled("contended", ("a", body, ()), (f"own_{number}", body, ("a",)))
            lease = new_lease(f"contender {number}")
            with holding(connected.leases, graph.root.name, lease, wait=150, sleep=shortly) as held:
                work = work_of(planned_graph(graph, connected, resume=True), graph, held.lease)
                Deployer(work, connected.tasks, connected.stage, held, retry_policy=QUICK).deploy()


def shortly(seconds: float) -> None:
    """Whoever waits asks often, so that leases are fought for."""
    time.sleep(min(seconds, 0.02))


def main() -> int:
    asked = json.load(sys.stdin)
    children = []
    for number in range(asked["contenders"]):
        child = os.fork()
        if child == 0:
            try:
                contend(number, asked["rounds"], asked["arguments"])
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
