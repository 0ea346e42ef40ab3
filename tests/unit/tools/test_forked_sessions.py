"""A forked process in a session of its own is the leader of its group as soon as its caller has it."""

from __future__ import annotations

import os
import subprocess
import sys

import fork_server


def test_who_kills_its_group_kills_no_fork_server() -> None:
    for _ in range(10):
        words = (sys.executable, "-X", f"{fork_server.FORKED}{fork_server.LIGHT}", "-c", "input()")
        with fork_server.Popen(words, stdin=subprocess.PIPE, start_new_session=True) as process:
            assert os.getpgid(process.pid) == process.pid
            process.communicate(b"\n", timeout=60)
