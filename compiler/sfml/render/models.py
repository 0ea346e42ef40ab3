"""Model versions as text and as the JSON of `models --output json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sfml.account.registered import ModelVersion
from sfml.render.printable import printable
from sfml.render.symbols import Symbols
from sfml.render.units import moment, plural

Models = Mapping[str, Sequence[ModelVersion]]


def models_text(models: Models, symbols: Symbols) -> str:
    return "\n".join(_lines(models, symbols))


def _lines(models: Models, symbols: Symbols) -> Iterator[str]:
    for name, versions in models.items():
        if not versions:
            yield f"{name}: not in the registry"
            continue
        yield f"{name}: {plural(len(versions), 'version')}"
        width = max(len(version.name) for version in versions)
        for version in reversed(versions):
            mark = symbols["SUCCEEDED"] if version.is_default else " "
            metrics = ", ".join(f"{key} {value:.4g}" for key, value in sorted(_numbers(version).items()))
            notes = ("default" if version.is_default else "", *version.aliases, metrics)
            about = "   ".join(note for note in notes if note)
            line = f"  {mark} {version.name:<{width}}   {moment(version.created_at)}   {about}"
            yield printable(line).rstrip()


def _numbers(version: ModelVersion) -> Mapping[str, float]:
    return {
        key: value
        for key, value in version.metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def models_json(models: Models) -> list[dict[str, Any]]:
    return [
        {
            "model": name,
            "versions": [
                {
                    "version": version.name,
                    "created_at": version.created_at.isoformat(),
                    "default": version.is_default,
                    "aliases": list(version.aliases),
                    "comment": version.comment,
                    "metrics": dict(version.metrics),
                }
                for version in reversed(versions)
            ],
        }
        for name, versions in models.items()
    ]
