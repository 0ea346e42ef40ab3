"""The command line: one module a command, loaded when it is asked for."""

from __future__ import annotations

from sfml.cli.entry import main

__all__ = ["main"]
