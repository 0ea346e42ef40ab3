"""The example projects that `sfml init --example` copies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import UsageError
from sfml.base.resources import examples_folder

EXAMPLES: Mapping[str, str] = {
    "champion_challenger": "a model that must be better than the one that serves",
    "churn": "a small model, tested in every way that there is",
    "features": "a training set from a Feature Store, without step code",
    "gated_classifier": "features, training, a gate, promotion, scoring",
    "notebooks": "a notebook that deploys, runs, compares and rolls back",
    "script_folder": "scripts that exist already, as ML Jobs",
    "segments": "a model for each of a hundred segments",
    "sql_only": "a forecast in SQL alone",
    "stream_scoring": "new rows of a stream are scored as they come",
    "two_instances": "training on two nodes at once",
}
"""Name of the example, which is its folder → what it shows."""

_MADE = frozenset(("build", "__pycache__"))
"""Folders that commands make in a project, beside those whose names begin with a dot."""
_COMMANDS = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def example_files(name: str) -> dict[str, bytes]:
    """The files of an example: path → content. Raises `UsageError` for an unknown name."""
    if name not in EXAMPLES:
        raise UsageError(
            f"there is no example `{name}`",
            help=f"{suggestion}; all: {', '.join(EXAMPLES)}"
            if (suggestion := did_you_mean(name, EXAMPLES))
            else f"the examples are: {', '.join(EXAMPLES)}",
        )
    folder = examples_folder() / name
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.is_dir():
            yield path
        elif path.name not in _MADE and not path.name.startswith("."):
            yield from _files(path)


def readme_commands(readme: str) -> tuple[str, ...]:
    """The commands of an example's README, which lead to its first run."""
    found = _COMMANDS.search(readme)
    return tuple(found[1].splitlines()) if found else ()
