"""What each worker would make of a fresh checkout, made once before they start.

They import the same modules in the same order at the same time, so that each would compile all of them, rewrite asserts
in all tests, and look for the constants that Hypothesis draws from. That was two thirds of the time to collect them.
"""

from __future__ import annotations

import contextlib
import os
import py_compile
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest
from _pytest.assertion import rewrite
from hypothesis.internal.constants_ast import constants_from_module

OWN_FOLDERS = ("compiler", "emulator", "steps")
TESTS = ("conftest.py", "test_*.py")


class Ahead(Protocol):
    """A module with bytecode that may be missing or older than its source."""

    path: Path
    bytecode: Path

    def write(self) -> None: ...


class OwnModule:
    """A module of this project."""

    def __init__(self, path: Path) -> None:
        self.path, self.bytecode = path, Path(cache_from_source(str(path)))

    def write(self) -> None:
        py_compile.compile(str(self.path), quiet=2)
        module = ModuleType(self.path.stem)
        module.__file__ = str(self.path)
        constants_from_module(module)


class ModuleOfTests:
    """A module of tests, in which pytest rewrites asserts."""

    def __init__(self, path: Path, config: pytest.Config) -> None:
        self.path, self._config = path, config
        self.bytecode = rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}"

    def write(self) -> None:
        digest, code = rewrite._rewrite_test(self.path, self._config)
        self.bytecode.parent.mkdir(parents=True, exist_ok=True)
        rewrite._write_pyc(self._config.stash[rewrite.assertstate_key], code, digest, self.bytecode)


def compile_ahead(config: pytest.Config, root: Path, processes: int) -> None:
    """Write what is missing below `root`, in so many processes at once; nothing where all is there."""
    stale = [module for module in _modules(config, root) if _is_stale(module)]
    started = [pid for share in range(processes) if (pid := _forked(stale[share::processes]))]
    for pid in started:
        os.waitpid(pid, 0)


def _modules(config: pytest.Config, root: Path) -> Iterator[Ahead]:
    for folder in OWN_FOLDERS:
        yield from map(OwnModule, sorted((root / folder).rglob("*.py")))
    for name in TESTS:
        for path in sorted((root / "tests").rglob(name)):
            yield ModuleOfTests(path, config)


def _is_stale(module: Ahead) -> bool:
    try:
        return module.bytecode.stat().st_mtime_ns < module.path.stat().st_mtime_ns
    except OSError:
        return True


def _forked(modules: Sequence[Ahead]) -> int:
    """Start a process that writes these; what cannot be written is left to the one that imports it, which says why."""
    if not modules:
        return 0
    pid = os.fork()
    if pid:
        return pid
    warnings.simplefilter("ignore")  # Hypothesis would say that constants are slow
    for module in modules:
        with contextlib.suppress(Exception):
            module.write()
    os._exit(0)
