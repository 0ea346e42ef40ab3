"""A project: its root and its pipelines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml.api.drawing import table
from sfml.api.pipeline import Pipeline
from sfml.base.diagnostic import did_you_mean
from sfml.base.errors import UsageError
from sfml.frontend.entry_files import pipeline_name, pipelines_of_project
from sfml.spec.names import login_name
from sfml.spec.project import PROJECT_FILE, project_root

if TYPE_CHECKING:
    from sfml.api.status import Statuses


class Project:
    """The pipelines below a folder with an `sfml.yaml`. Files are read anew at each use."""

    def __init__(self, root: Path) -> None:
        self.root = root
        """The folder of `sfml.yaml`."""

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        """All pipelines of the project for their default target, ordered by file."""
        return tuple(self._made(path) for path in pipelines_of_project(self.root))

    def pipeline(
        self,
        name: str,
        *,
        target: str | None = None,
        variables: Mapping[str, object] | None = None,
        user: str | None = None,
    ) -> Pipeline:
        """The pipeline with this name.

        `target` is a target of `sfml.yaml`, by default its default target; `variables` have the meaning of `--var`;
        `user` is the value of `{{ user }}` in specs. Raises `UsageError` if no pipeline, or more than one, has this
        name.
        """
        paths = {path: pipeline_name(path) for path in pipelines_of_project(self.root)}
        matches = [path for path, own in paths.items() if own == name]
        if len(matches) > 1:
            files = " and ".join(path.as_posix() for path in matches)
            raise UsageError(
                f"more than one pipeline is named `{name}`: {files}", help="give one another name"
            )
        if not matches:
            names = sorted(own for own in paths.values() if own)
            raise UsageError(
                f"there is no pipeline `{name}` in {self.root}",
                help=did_you_mean(name, names) or f"pipelines of this project: {', '.join(names) or 'none'}",
            )
        return self._made(matches[0], target=target, variables=variables, user=user)

    def status(
        self,
        *pipelines: str,
        target: str | None = None,
        variables: Mapping[str, object] | None = None,
        user: str | None = None,
    ) -> Statuses:
        """The status of these pipelines, or of all, as of `sfml status`; those of one account are read together.

        One whose spec has errors, or that cannot be read, is not well, and hides no other. The arguments are those of
        `pipeline`.
        """
        from sfml.api.status import Statuses
        from sfml.operations.fleet_accounts import FleetAccounts
        from sfml.operations.fleet_status import FleetStatus, SpecOptions
        from sfml.operations.target_watch import SilentTargetWatch

        chosen = [self.pipeline(name) for name in pipelines] or self.pipelines
        files = [os.path.relpath(one.file) for one in chosen]
        options = SpecOptions(target, _texts(variables), user or login_name())
        with FleetAccounts(SilentTargetWatch()) as accounts:
            return Statuses(FleetStatus(files, accounts, options).look())

    def _made(
        self,
        path: Path,
        *,
        target: str | None = None,
        variables: Mapping[str, object] | None = None,
        user: str | None = None,
    ) -> Pipeline:
        name = pipeline_name(path) or path.stem
        return Pipeline(path.resolve(), name, target=target, variables=_texts(variables), user=user)

    def to_dict(self) -> dict[str, Any]:
        """The root and the pipelines with their files."""
        return {
            "root": str(self.root),
            "pipelines": [{"name": one.name, "file": self._below(one)} for one in self.pipelines],
        }

    def __repr__(self) -> str:
        return f"<Project {self.root}: {', '.join(one.name for one in self.pipelines) or 'no pipelines'}>"

    def _repr_html_(self) -> str:
        return table(("pipeline", "file"), [(one.name, self._below(one)) for one in self.pipelines])

    def _below(self, pipeline: Pipeline) -> str:
        return Path(os.path.relpath(pipeline.file, self.root.resolve())).as_posix()


def open(path: Path | str = ".") -> Project:
    """The project of a folder or file: the nearest folder with `sfml.yaml`, there or above.

    Raises `UsageError` if there is none.
    """
    start = Path(path)
    root = project_root(start if start.is_dir() else start.parent)
    if root is None:
        raise UsageError(f"no {PROJECT_FILE} in `{path}` or above", help="make a project: sfml init")
    return Project(root)


def _texts(variables: Mapping[str, object] | None) -> dict[str, str]:
    return {name: _text(value) for name, value in (variables or {}).items()}


def _text(value: object) -> str:
    """The value of a variable as text, as in `--var name=value`."""
    return str(value).lower() if isinstance(value, bool) else str(value)
