"""The command line. Each command is a module of its own, which is imported when the command is used."""

from __future__ import annotations

from sfml.cli.entry import main

__all__ = ["main"]
