"""Modules in archives, each compiled once at most.

Python compiles a module of an archive at each import, and twice: to tell the name of its file, and to run it. A task's
archive contains the runtime of steps, whose modules are compiled before a worker is forked.
"""

from __future__ import annotations

import os
import sys
import zipimport
from collections.abc import Mapping
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

RUNTIME = "sfml_steps"
"""The package that every archive of a task's code contains."""


class ZippedModules(zipimport.zipimporter):
    """What `zipimport` finds and runs, with modules compiled as seldom as possible."""

    def get_filename(self, fullname: str) -> str:
        """The path of a module's source or bytecode."""
        return self._source(fullname) or super().get_filename(fullname)

    def get_code(self, fullname: str) -> CodeType:
        """The code of a module: what is compiled already, if its text is the same."""
        path = self._source(fullname)
        code = None if path is None else compiled().get(self.get_data(path))
        if path is None or code is None:
            return super().get_code(fullname)
        return _placed(code, path)

    def _source(self, fullname: str) -> str | None:
        """The path of a module's source; None where the archive contains its bytecode, which Python prefers."""
        name = self.prefix + fullname.rpartition(".")[2]
        inside = f"{name}{os.sep}__init__.py" if self.is_package(fullname) else f"{name}.py"
        path = f"{self.archive}{os.sep}{inside}"
        try:
            self.get_data(f"{path}c")
        except OSError:
            return path
        return None


def begin() -> None:
    """Let this process import from archives in this way; archives that it has opened already stay as they are."""
    if ZippedModules not in sys.path_hooks:
        sys.path_hooks.insert(0, ZippedModules)


@lru_cache(maxsize=1)
def compiled() -> Mapping[bytes, CodeType]:
    """The code of the runtime's modules by their texts, from the files of this environment; none of them is run."""
    spec = find_spec(RUNTIME)
    folders = (spec and spec.submodule_search_locations) or ()
    return {
        path.read_bytes(): code
        for folder in folders
        for path in sorted(Path(folder).rglob("*.py"))
        if (code := _code(path)) is not None
    }


def _code(path: Path) -> CodeType | None:
    loader = SourceFileLoader(path.stem, str(path))
    try:
        return loader.get_code(path.stem)
    except (OSError, SyntaxError):
        return None


def _placed(code: CodeType, path: str) -> CodeType:
    """The same code as if it were compiled from another file."""
    constants = (_placed(one, path) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_filename=path, co_consts=tuple(constants))
