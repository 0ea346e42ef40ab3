"""Files that steps hand to each other: on a stage, or in memory in tests.

`ctx.write_file` keeps the bytes of a file, `ctx.read_file` reads them by the path that it returned; a result
carries the path to the next task. Files are written and read whole, so they have to fit into the memory of both
tasks; larger data belongs into tables, or on a stage by `ctx.session.file`. The general step
`remove_run_artifacts` removes the files of a run that succeeded, and of others when they are old; without it
they stay.
"""

from __future__ import annotations

import re
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sfml_steps.errors import StepError

if TYPE_CHECKING:
    from snowflake.snowpark import Session

# What needs no quoting in a stage path; quoting is handled differently by PUT, GET, LIST and REMOVE.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=-]*(/[A-Za-z0-9_][A-Za-z0-9_.=-]*)*")


class Files(Protocol):
    """Reads and writes whole files by their path `@STAGE/folder/name`."""

    def write(self, path: str, content: bytes) -> None: ...

    def read(self, path: str) -> bytes: ...


class StageFiles:
    """Files on a Snowflake stage, not compressed, overwriting what was there."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def write(self, path: str, content: bytes) -> None:
        self._session.file.put_stream(BytesIO(content), path, auto_compress=False, overwrite=True)

    def read(self, path: str) -> bytes:
        # Not get_stream: outside a procedure it downloads to one shared temporary folder under the file's own
        # name, where two tasks at once take each other's file away.
        with tempfile.TemporaryDirectory() as folder:
            self._session.file.get(path, folder)
            found = [file for file in Path(folder).rglob("*") if file.is_file()]
            if len(found) != 1:
                raise StepError(
                    f"there is no file {path}; perhaps it was removed with its run: run the whole graph again"
                )
            return found[0].read_bytes()


class MemoryFiles:
    """Files in a dictionary, for tests."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def write(self, path: str, content: bytes) -> None:
        self.contents[path] = content

    def read(self, path: str) -> bytes:
        if path not in self.contents:
            raise StepError(f"there is no file {path}; this test wrote {sorted(self.contents) or 'none'}")
        return self.contents[path]


def checked_name(name: str) -> str:
    """A file name below the run's folder, refused where a stage path would need quoting."""
    if not PLAIN_NAME.fullmatch(name):
        raise StepError(
            f"`{name}` cannot name a file of a run: use letters, digits, `_ . = -`, and `/` between folders"
        )
    return name
