"""Files that travel with the tool: the JSON Schemas, in the package or in the checkout, and a new project."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parents[1]


def schema_folder() -> Path:
    """The folder of the JSON Schemas: inside the installed package, else beside it in the checkout."""
    inside = _PACKAGE / "schemas"
    return inside if inside.is_dir() else _PACKAGE.parent.parent / "schemas"


def template_folder() -> Path:
    """The folder of what `sfml init` writes; `PIPELINE` and `PACKAGE` in names and texts are placeholders."""
    return _PACKAGE / "template"


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of that file name, such as `pipeline.schema.json`."""
    loaded: dict[str, Any] = json.loads((schema_folder() / name).read_text(encoding="utf-8"))
    return loaded
