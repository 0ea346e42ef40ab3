"""Values between the server and the processes that run users' code: converts SQL values to JSON and back.

JSON instead of pickle, because the server reads values that a user's code wrote.
"""

from __future__ import annotations

import base64
import datetime
from decimal import Decimal
from typing import Any

JSON = None | bool | int | float | str | list[Any] | dict[str, Any]


def encoded(value: Any) -> JSON:
    """A SQL value as JSON; types that JSON lacks are mappings with one key that starts with `$`."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return {"$decimal": str(value)}
        case datetime.datetime():
            return {"$timestamp": value.isoformat()}
        case datetime.date():
            return {"$date": value.isoformat()}
        case datetime.time():
            return {"$time": value.isoformat()}
        case bytes() | bytearray():
            return {"$bytes": base64.b64encode(value).decode("ascii")}
        case list() | tuple():
            return [encoded(item) for item in value]
        case dict():
            return {"$map": {str(key): encoded(item) for key, item in value.items()}}
    if hasattr(value, "item"):  # a NumPy scalar
        return encoded(value.item())
    raise TypeError(f"a value of type {type(value).__name__} is no SQL value")


def decoded(value: JSON) -> Any:
    """The value that `encoded` wrote."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    match kind:
        case "$decimal":
            return Decimal(content)
        case "$timestamp":
            return datetime.datetime.fromisoformat(content)
        case "$date":
            return datetime.date.fromisoformat(content)
        case "$time":
            return datetime.time.fromisoformat(content)
        case "$bytes":
            return base64.b64decode(content)
        case "$map":
            return {key: decoded(item) for key, item in content.items()}
    raise ValueError(f"unknown kind of value: {kind}")
