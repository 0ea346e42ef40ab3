"""Comparing two archives of step code: the files that differ, and the functions and classes in them."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence

from sfml.lower.alerting import own_statement
from sfml.plan.model import ChangedFile

_STAGE = r"@(?:\"(?:[^\"]|\"\")*\"|[^\s'\"/])+"
_ARCHIVE = re.compile(_STAGE + r"/([\w.-]+/code/[0-9a-f]{64}/steps\.zip)")
_RUNTIME = "sfml_steps/"
_JOB = re.compile(_STAGE + r"/([\w.-]+/jobs/[0-9a-f]{64}/\w+)")


def archive_path(definition: str) -> str | None:
    """The path below the stage of the step code that a deployed body runs; None for a body without step code."""
    definition = own_statement(definition)
    if archive := _ARCHIVE.search(definition):
        return archive.group(1)
    # The ML Jobs client puts a job's payload into `app` below its stage path.
    return f"{job.group(1)}/app/steps.zip" if (job := _JOB.search(definition)) else None


def archive_files(content: bytes) -> Mapping[str, bytes] | None:
    """Path → content of the files of a zip archive; None for other bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (zipfile.BadZipFile, OSError, ValueError):
        return None


def is_runtime_only(files: Sequence[ChangedFile]) -> bool:
    """Whether all changed files, of which there is at least one, are those of the step runtime."""
    return bool(files) and all(file.path.startswith(_RUNTIME) for file in files)


def changed_files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> tuple[ChangedFile, ...]:
    """Every file that differs between the two archives, sorted by path."""
    return tuple(_changed(old, new))


def _changed(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[ChangedFile]:
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        if before is None:
            yield ChangedFile(path, "added")
        elif after is None:
            yield ChangedFile(path, "removed")
        else:
            names = changed_names(before, after) if path.endswith(".py") else ()
            yield ChangedFile(path, "changed", names)


def changed_names(before: bytes, after: bytes) -> tuple[str, ...]:
    """The top-level functions and classes that differ, and `(module)` for other code of the module.

    Comments and layout are not compared, so a file can differ without such a name.
    """
    old, new = _definitions(before), _definitions(after)
    if old is None or new is None:
        return ()
    names = sorted(name for name in {*old, *new} if name and old.get(name) != new.get(name))
    return (*names, *(("(module)",) if old.get("") != new.get("") else ()))


def _definitions(source: bytes) -> Mapping[str, str] | None:
    """Top-level name → its syntax tree as text; the empty name holds the code outside of definitions."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    definitions: dict[str, str] = {}
    for node in body:
        is_named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        name = getattr(node, "name", "") if is_named else ""
        definitions[name] = definitions.get(name, "") + ast.dump(node)
    return definitions
