"""Versions of models in the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.account.registered import MetricComparison, ModelVersion, compared, version_named
from sfml.api.drawing import preformatted
from sfml.render.models import models_json, models_text
from sfml.render.symbols import Symbols


class Models(Mapping[str, Sequence[ModelVersion]]):
    """The versions of each model by its name, oldest first; an empty sequence for a model that is not registered."""

    def __init__(self, versions: Mapping[str, Sequence[ModelVersion]]) -> None:
        self._versions = {name: tuple(some) for name, some in versions.items()}

    def __getitem__(self, name: str) -> Sequence[ModelVersion]:
        return self._versions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __len__(self) -> int:
        return len(self._versions)

    def default(self, name: str) -> ModelVersion | None:
        """The default version of a model, which scoring uses; None when there is none."""
        return next((version for version in self._versions.get(name, ()) if version.is_default), None)

    def version(self, name: str, version: str) -> ModelVersion | None:
        """The version of a model with this name or alias, such as `champion`; None when there is none."""
        return version_named(self._versions.get(name, ()), version)

    def compare(self, name: str, *versions: str) -> tuple[MetricComparison, ...]:
        """The metrics of versions, given by name or alias; by default of the champion and the challenger.

        Raises `UsageError` if there is no such version, or nothing to compare with.
        """
        from sfml.operations.models import versions_to_compare

        return compared(versions_to_compare(self._versions.get(name, ()), versions))

    def to_dict(self) -> dict[str, Any]:
        """The key `models` of the JSON of `sfml models list`, with its value."""
        return {"models": models_json(self._versions)}

    def __str__(self) -> str:
        return models_text(self._versions, Symbols(True))

    def __repr__(self) -> str:
        return f"<Models: {', '.join(self._versions) or 'none'}>"

    def _repr_html_(self) -> str:
        return preformatted(str(self))
