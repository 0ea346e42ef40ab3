"""Runs several commands in one process, for a program that reads their output: Python and its modules start once."""

from __future__ import annotations

import os
import shlex
import sys

from sfml.cli.entry import prepare_process, run


def main() -> None:
    """Run the commands of the arguments after the first, which is printed around the exit code of each.

    Only the first command reports on standard error: the others are the same one, with another output.
    """
    separator, *commands = sys.argv[1:]
    prepare_process()
    for command in commands:
        try:
            code = run(shlex.split(command))
        except KeyboardInterrupt:  # pressed again while the outcome was told
            sys.exit(130)
        print(separator, code, separator, sep="", end="", flush=True)
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
