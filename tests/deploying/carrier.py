"""A process with Snowflake's clients, which forks one that carries a passage out for each line it reads.

A line is JSON: the name of a passage, what to connect with, and how long a file may become, as on a full disk.
It answers with the process id of the fork, and once that has ended with how.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import traceback

from carrying import account, carry_out
from graphs import passages

PASSAGES = {passage.name: passage for pair in passages() for passage in pair}


def main() -> None:
    gc.collect()
    gc.freeze()  # the collector of a fork would copy every page that it marks
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                if "room" in asked:
                    sys.dont_write_bytecode = True  # it would be cut off, and read by every later process
                    resource.setrlimit(resource.RLIMIT_FSIZE, (asked["room"], asked["room"]))
                with account(asked["arguments"]) as connected:
                    carry_out(PASSAGES[asked["passage"]], connected)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
