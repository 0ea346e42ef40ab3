"""Files that steps pass to each other: on a stage, or in memory in tests.

`ctx.write_file` writes the bytes of a file and returns its path, by which `ctx.read_file` reads them; a result can
pass the path to the next task. Files are written and read whole, so they have to fit into the memory of both tasks.
Larger data belongs into tables, or on a stage by `ctx.session.file`. The general step `remove_run_artifacts` removes
the files of a run that succeeded, and of other runs when they are old; without it they are kept.
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

# Names that need no quotes in a stage path; PUT, GET, LIST and REMOVE differ in how they take quotes.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=-]*(/[A-Za-z0-9_][A-Za-z0-9_.=-]*)*")


class Files(Protocol):
    """Reads and writes whole files by their path `@STAGE/folder/name`."""

    def write(self, path: str, content: bytes) -> None: ...

    def read(self, path: str) -> bytes: ...


class StageFiles:
    """Files on a Snowflake stage; they are not compressed, and writing overwrites."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def write(self, path: str, content: bytes) -> None:
        self._session.file.put_stream(BytesIO(content), path, auto_compress=False, overwrite=True)

    def read(self, path: str) -> bytes:
        # `get_stream` is not used: outside a procedure it downloads to a shared temporary folder under the file's
        # own name, where two tasks at once would delete each other's file.
        with tempfile.TemporaryDirectory() as folder:
            self._session.file.get(path, folder)
            files = [file for file in Path(folder).rglob("*") if file.is_file()]
            if len(files) != 1:
                raise StepError(
                    f"there is no file {path}; perhaps it was removed with its run: run the whole graph again"
                )
            return files[0].read_bytes()


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
    """Return a file name below the run's folder; raise StepError if a stage path would need quotes for it."""
    if not PLAIN_NAME.fullmatch(name):
        raise StepError(
            f"`{name}` cannot name a file of a run: use letters, digits, `_ . = -`, and `/` between folders"
        )
    return name
