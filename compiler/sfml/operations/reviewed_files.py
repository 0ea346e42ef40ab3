"""Ensures that production gets only reviewed files: specs and code as they are committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sfml.base.errors import ConflictingState
from sfml.base.git import differing_from_head, dirty_files, head_commit
from sfml.frontend.compiled_spec import CompiledSpec
from sfml.graph.model import JobBody, Mode, SqlBody
from sfml.lower.job_folders import job_files
from sfml.plan.provenance import provenance_of

SHOWN = 10
"""The maximum number of files that are named; more are counted."""


def refuse_unreviewed(compiled_spec: CompiledSpec) -> None:
    """For a production target, raise `ConflictingState` unless every used file is as in the checked-out commit.

    The contents are compared, so files that git ignores or assumes unchanged are checked as well.
    """
    target = compiled_spec.desired.target
    if target.mode is not Mode.PRODUCTION:
        return
    dirty = dirty_files(compiled_spec.root)
    differing = differing_from_head(compiled_spec.root, tuple(used_files(compiled_spec)))
    if dirty is None or differing is None:
        raise ConflictingState(
            f"target `{target.name}` is production, and the project is not in a git work tree with a commit",
            help="commit the project, or apply to another target",
        )
    files = sorted({*dirty, *differing})
    if files:
        are = "1 file is" if len(files) == 1 else f"{len(files)} files are"
        shown = [
            f"  {name}{' (used, but not tracked as it is)' if name in differing else ''}" for name in files
        ]
        more = [f"  … and {len(files) - SHOWN} more"] if len(files) > SHOWN else []
        raise ConflictingState(
            "\n".join(
                [f"target `{target.name}` is production, and {are} not committed:", *shown[:SHOWN], *more]
            ),
            help="commit or stash them, then run it again",
        )


def changed_since_commit(compiled_spec: CompiledSpec) -> tuple[str, ...] | None:
    """The used files that differ from the commit, and the deleted files in their folders; None without git."""
    used = tuple(used_files(compiled_spec))
    differing, dirty = differing_from_head(compiled_spec.root, used), dirty_files(compiled_spec.root)
    if differing is None or dirty is None:
        return None
    folders = {str(parent) for name in used for parent in PurePosixPath(name).parents} - {"."}
    gone = (
        name
        for name in dirty
        if str(PurePosixPath(name).parent) in folders and not (compiled_spec.root / name).exists()
    )
    return tuple(sorted({*differing, *gone}))


def used_files(compiled_spec: CompiledSpec) -> Iterator[str]:
    """The project's files that the deployment uses, relative to the root; installed packages are not included."""
    reading, root = compiled_spec.reading, compiled_spec.root
    names = set(reading.loaded.sources)
    steps = reading.loaded.project.steps if reading.loaded.project else ()
    for archive in compiled_spec.desired.archives:
        for path, _ in archive.files:
            names.update(f"{folder}/{path}" for folder in steps if (root / folder / path).is_file())
    for node in reading.graph.all_tasks if reading.graph else ():
        match node.body:
            case SqlBody(file=file) if file:
                names.add(file)
            case JobBody(folder=folder):
                names.update(f"{folder}/{job_file.path}" for job_file in reading.job_files(folder))
        for path in node.imports:
            names.update(_below(root, path))
    yield from sorted(name for name in names if (root / name).is_file())


def _below(root: Path, path: str) -> Iterator[str]:
    """The file itself, or every file of the folder that would be uploaded."""
    if (root / path).is_file():
        yield path
        return
    yield from (f"{path}/{job_file.path}" for job_file in job_files(root)(path))


def provenance(compiled_spec: CompiledSpec, user: str) -> Mapping[str, Any]:
    """What an apply adds to the root's record: pipeline, target, user, commit and uncommitted files; never compared."""
    commit = head_commit(compiled_spec.root)
    beside = changed_since_commit(compiled_spec) if commit else None
    desired = compiled_spec.desired
    place = {"pipeline": desired.pipeline, "target": desired.target.name}
    return {**place, "user": user, **provenance_of(commit, beside)}
