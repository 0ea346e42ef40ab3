"""What differs between two archives of step code: which files, and which functions and classes in them."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence

from sfml.plan.model import ChangedFile

_ARCHIVE = re.compile(r"@[^\s'\"/]+/([\w.-]+/code/[0-9a-f]{64}/steps\.zip)")
_RUNTIME = "sfml_steps/"
_JOB = re.compile(r"@[^\s'\"/]+/([\w.-]+/jobs/[0-9a-f]{64}/\w+)")


def archive_path(definition: str) -> str | None:
    """Where below the stage the step code of a deployed body lies; None for a body that runs none of ours."""
    if found := _ARCHIVE.search(definition):
        return found.group(1)
    # The ML Jobs client puts a job's payload into `app` below its stage path.
    return f"{found.group(1)}/app/steps.zip" if (found := _JOB.search(definition)) else None


def archive_files(content: bytes) -> Mapping[str, bytes] | None:
    """The files of an archive by path; None for what is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (zipfile.BadZipFile, OSError, ValueError):
        return None


def is_runtime_only(files: Sequence[ChangedFile]) -> bool:
    """Whether files differ, and all of them are of the runtime that every archive takes along."""
    return bool(files) and all(file.path.startswith(_RUNTIME) for file in files)


def changed_files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> tuple[ChangedFile, ...]:
    """Every file that is not the same in both, sorted by path."""
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
    """The top-level functions and classes that differ; `(module)` for the rest of the module.

    Comments and layout change the archive but no name: then there is none.
    """
    old, new = _definitions(before), _definitions(after)
    if old is None or new is None:
        return ()
    names = sorted(name for name in {*old, *new} if name and old.get(name) != new.get(name))
    return (*names, *(("(module)",) if old.get("") != new.get("") else ()))


def _definitions(source: bytes) -> Mapping[str, str] | None:
    """Each top-level definition's syntax, and under the empty name all that is outside of them."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    found: dict[str, str] = {}
    for node in body:
        is_named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        name = getattr(node, "name", "") if is_named else ""
        found[name] = found.get(name, "") + ast.dump(node)
    return found
