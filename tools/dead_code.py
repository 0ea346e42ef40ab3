"""Names what nothing uses, by vulture and the settings in pyproject.toml.

A table of names stands for functions that are looked up in a module by them, so that a name in such a table is a use.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from vulture.config import make_config
from vulture.core import Vulture

ROOT = Path(__file__).resolve().parents[1]
TABLES = ("emulator/sfml_local/core/expressions/library.py",)
"""Modules whose texts are names of functions."""


def named() -> Iterator[str]:
    """The names in the tables."""
    for table in TABLES:
        for node in ast.walk(ast.parse((ROOT / table).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from (word for word in node.value.split() if word.isidentifier())


def main() -> int:
    config = make_config([])
    vulture = Vulture(
        ignore_names=config["ignore_names"], ignore_decorators=config["ignore_decorators"], verbose=False
    )
    vulture.scavenge(config["paths"], exclude=config["exclude"])
    vulture.used_names |= set(named())
    return int(vulture.report(min_confidence=config["min_confidence"]))


if __name__ == "__main__":
    sys.exit(main())
