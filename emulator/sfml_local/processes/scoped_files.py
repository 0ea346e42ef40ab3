"""`SnowflakeFile` in a process of users' code, with the scoped addresses of the local server.

Snowpark's own class reads files of this machine, and stages within a session. Nothing happens before a program imports
it. https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-examples
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from sfml_local.processes.tracing import after_loading

FILES = "snowflake.snowpark.files"
_IN_STAGES = ("@", "snow://")


class ScopedFiles:
    """A finder in `sys.meta_path`, which knows when a program imports `SnowflakeFile`."""

    def __init__(self, has_session: bool) -> None:
        self._has_session = has_session

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        found = PathFinder.find_spec(name, path) if name == FILES else None
        return None if found is None else after_loading(found, self.provide)

    def provide(self, module: ModuleType) -> None:
        """Let `SnowflakeFile.open` take addresses of the server."""
        usual = module.SnowflakeFile.open

        def opened(file_location: str, mode: str = "r", is_owner_file: bool = False, **options: Any) -> Any:
            if file_location.startswith(_IN_STAGES) and not self._has_session:
                raise ValueError(
                    "SnowflakeFile.open of a path in a stage is not emulated in functions by the local server: "
                    "pass BUILD_SCOPED_FILE_URL(@stage, path)"
                )
            if not file_location.startswith("http://"):
                return usual(file_location, mode, is_owner_file, **options)
            copy = _fetched(file_location)
            try:
                return usual(copy, mode, is_owner_file, **options)
            finally:
                Path(copy).unlink()  # what is open stays until it is closed

        module.SnowflakeFile.open = staticmethod(opened)


def begin(*, has_session: bool) -> None:
    """Take scoped addresses from now on."""
    finder = ScopedFiles(has_session)
    sys.meta_path.insert(0, finder)
    if (loaded := sys.modules.get(FILES)) is not None:
        finder.provide(loaded)


def _fetched(address: str) -> str:
    """The path of a copy of the file at an address."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(address) as source, tempfile.NamedTemporaryFile(delete=False) as copy:
            shutil.copyfileobj(source, copy)
            return copy.name
    except urllib.error.URLError:
        # What the server or the network says is of no use to the user, who has to ask for a new address.
        raise FileNotFoundError(f"The scoped address is not valid, or not any more: {address}") from None
