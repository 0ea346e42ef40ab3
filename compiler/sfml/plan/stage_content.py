"""The files of a pipeline on the stage, read by one LIST."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime

from sfml.base.record import record
from sfml.lower.desired import Archive, MLJobDefinitionSpec
from sfml.plan.journal import JOURNAL_NAME, deployment_number


@record
class StageContent:
    """The files of a pipeline's code, payloads and state; `paths` are relative to the stage: `clv/state/apply.json`."""

    pipeline: str
    paths: frozenset[str]
    written: Mapping[str, datetime] = field(default_factory=dict)
    """Path → the time when it was written, by the account's clock, to the second."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Path → its size in bytes, as LIST returns it."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Path → the MD5 of its content, if LIST is known to return that."""

    def missing(self, archives: tuple[Archive, ...]) -> tuple[Archive, ...]:
        """The archives that are missing or incomplete; an interrupted upload leaves a part under the final name."""
        return tuple(
            archive
            for archive in archives
            if archive.stage_path not in self.paths or not self._is_whole(archive.stage_path, archive.content)
        )

    def broken_jobs(self, specs: Iterable[MLJobDefinitionSpec]) -> tuple[MLJobDefinitionSpec, ...]:
        """The jobs whose payload is missing or incomplete."""
        folders = {path.rsplit("/app/", 1)[0] for path in self.paths if "/app/" in path}
        return tuple(
            spec
            for spec in specs
            if (folder := f"{spec.stage_path}/{spec.name}") not in folders
            or not all(
                self._is_whole(f"{folder}/app/{name}", content) for name, content in spec.payload.items()
            )
        )

    def _is_whole(self, path: str, content: bytes) -> bool:
        """Whether the file is complete: by its digest if one is known, else by its size.

        On a stage with client-side encryption, LIST returns the size in full blocks of 16 bytes.
        """
        digest = self.digests.get(path)
        if digest is not None:
            return digest == hashlib.md5(content, usedforsecurity=False).hexdigest()
        size = len(content)
        return self.sizes.get(path, size) in (size, (size // 16 + 1) * 16)

    @property
    def has_journal(self) -> bool:
        """Whether an apply is under way, or was cut off."""
        return state_path(self.pipeline, JOURNAL_NAME) in self.paths

    @property
    def deployments(self) -> tuple[int, ...]:
        """The numbers of the kept deployments, oldest first, including that of an unfinished apply."""
        numbers = (deployment_number(path) for path in self.paths)
        return tuple(sorted(number for number in numbers if number is not None))

    @property
    def archives(self) -> frozenset[str]:
        """The folders of code and payloads, as artefacts name them: `clv/code/<sha256>`."""
        split = (path.split("/") for path in self.paths)
        return frozenset("/".join(parts[:3]) for parts in split if len(parts) > 3 and parts[1] != "state")

    def lacks(self, archives: Iterable[str]) -> tuple[str, ...]:
        """The folders that are missing on the stage, sorted."""
        return tuple(sorted(set(archives) - self.archives))

    @property
    def next_number(self) -> int:
        return max(self.deployments, default=0) + 1


def state_path(pipeline: str, name: str = "") -> str:
    """The path of a file of a pipeline's state, relative to the stage."""
    return f"{pipeline}/state/{name}"
