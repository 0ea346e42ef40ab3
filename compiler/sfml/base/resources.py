"""Files that are installed with sfml: the JSON Schemas, the template of a new project, and the examples."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1]


def schema_folder() -> Path:
    """The folder of the JSON Schemas: inside the installed package, or at the top of the checkout."""
    inside = _PACKAGE / "schemas"
    return inside if inside.is_dir() else _PACKAGE.parent.parent / "schemas"


def template_folder() -> Path:
    """The folder of the files that `sfml init` writes; `PIPELINE` and `PACKAGE` are placeholders in names and texts."""
    return _PACKAGE / "template"


def examples_folder() -> Path:
    """The folder of the example projects: inside the installed package, or at the top of the checkout."""
    inside = _PACKAGE / "examples"
    return inside if inside.is_dir() else _PACKAGE.parent.parent / "examples"


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of that file name, such as `pipeline.schema.json`."""
    loaded: dict[str, Any] = json.loads((schema_folder() / name).read_text(encoding="utf-8"))
    return loaded
