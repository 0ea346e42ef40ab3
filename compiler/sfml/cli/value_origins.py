"""Finds the origin of the value at FILE:PATH in each pipeline that reads the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import InvalidSpec, SfmlError, UsageError
from sfml.base.record import record
from sfml.cli import output
from sfml.cli.inputs import user_name
from sfml.cli.options import Options
from sfml.frontend.entry_files import entries_of_project, is_entry_file
from sfml.spec.load import load
from sfml.spec.model import LoadedSpec
from sfml.spec.origin import Origin, known_paths, origins, placed_origin, removed_by
from sfml.spec.project import project_root

_TARGET = re.compile(r"targets\.([^.]+)\.")


@record
class ValueOrigin:
    """A value's origin in one pipeline for one target; its files are relative to the working directory."""

    pipeline: str
    target: str
    origin: Origin


def value_origins(name: str, path: str, options: Options) -> tuple[ValueOrigin, ...]:
    """The origins of the value in every pipeline that reads the file; raises `SfmlError` if there are none."""
    file = Path(name)
    if not file.is_file():
        raise UsageError(f"there is no file `{name}`", help="FILE:PATH names a file and a value in it")
    root = project_root(file.parent)
    if root is None:
        raise UsageError(f"`{name}` belongs to no project", help="make one: `sfml init`")
    if not path:
        raise UsageError("FILE:PATH lacks the path", help=f"sfml explain {name}:tasks.train_model.timeout")
    inside = (file.parent.resolve() / file.name).relative_to(root).as_posix()
    target = options.target or _target_of(path)
    readers = list(_readers(file, inside, root, target, options))
    prefix = Path(os.path.relpath(root, Path.cwd())).as_posix()
    shown = "" if prefix == "." else f"{prefix}/"
    result = [
        ValueOrigin(loaded.spec.name, loaded.spec.target_name, _moved(origin, shown))
        for loaded in readers
        if loaded.spec is not None
        for origin in origins(loaded, inside, path, options.variables)
    ]
    if not result:
        raise _nothing(name, path, readers, shown)
    return tuple(result)


def _target_of(path: str) -> str | None:
    """The target of a path inside a target's patch, such as `targets.prod.tasks…`; else None."""
    match = _TARGET.match(path)
    return match[1] if match else None


def _readers(
    file: Path, inside: str, root: Path, target: str | None, options: Options
) -> Iterator[LoadedSpec]:
    """The loaded pipelines that read the file. Raises `InvalidSpec` if its own pipeline has errors."""
    own = is_entry_file(file)
    broken: LoadedSpec | None = None
    count = 0
    entries = entries_of_project(root)
    for entry in [file] if own else entries:
        loaded = load(entry, target=target, variables=options.variables, user=user_name(options))
        if inside not in loaded.sources:
            continue
        if loaded.spec is None:
            broken = loaded
            continue
        count += 1
        yield loaded
    if broken is not None and not count:
        if not options.json:
            from sfml.render.text import diagnostics_text

            color = output.wants_color(options.no_color)
            output.note_colored(diagnostics_text(broken.diagnostics, broken.sources, color=color))
        raise InvalidSpec(broken.diagnostics)
    if broken is None and not count:
        raise SfmlError(
            f"no pipeline of the project reads `{inside}`",
            help="name the file of a pipeline, or one that it uses",
        )


def _nothing(name: str, path: str, readers: list[LoadedSpec], prefix: str) -> SfmlError:
    for loaded in readers:
        if (removed := removed_by(loaded, path)) is not None and removed.span is not None:
            at = replace(removed.span, file=prefix + removed.span.file)
            return SfmlError(f"`{path}` has no value: `null` removes it at {at} ({removed.layer})")
    known = known_paths(readers[0])
    parent, _, last = path.removeprefix("graph.").rpartition(".")
    beside = {
        known_path.rpartition(".")[2]: known_path
        for known_path in known
        if known_path.rpartition(".")[0] == parent
    }
    help = did_you_mean(last, beside)
    if help is None and beside:
        keys = ", ".join(f"`{key}`" for key in sorted(beside))
        help = f"{f'`{parent}`' if parent else 'the pipeline'} has {keys}; nothing else is set"
    if help is None:
        help = did_you_mean(path, known) or "paths look like tasks.train_model.timeout"
    return SfmlError(f"nothing sets `{path}` in `{name}`", help=help)


def _moved(origin: Origin, prefix: str) -> Origin:
    """The origin with its files relative to the working directory."""
    return placed_origin(origin, lambda span: replace(span, file=prefix + span.file)) if prefix else origin
