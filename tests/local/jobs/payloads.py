"""What the tests of jobs submit: folders of code, and wheels that pip installs without a network."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from snowflake.ml.jobs import MLJobDefinition
from snowflake.snowpark import Session

POOL = "LOCAL_POOL"


def payload(folder: Path, main: str) -> str:
    """A folder with a script and a package beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").write_text("VALUE = 7\n")
    (folder / "main.py").write_text(main)
    return str(folder)


def define(session: Session, source: str, stage: str = "JOBS", **options: Any) -> MLJobDefinition:  # type: ignore[type-arg]
    return MLJobDefinition.register(source, POOL, stage, session=session, entrypoint="main.py", **options)


def wheel(folder: Path, name: str, version: str, code: str, requires: str = "") -> Path:
    """A wheel with one module and a command `<name>_command` that calls its `main`."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", code)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name}_command = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path
