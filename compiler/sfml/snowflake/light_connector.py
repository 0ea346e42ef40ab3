"""Imports Snowflake's clients without the large libraries that they look for at once and seldom use.

The connector imports pandas, pyarrow and boto3 whenever they are installed, and `snowflake.core` imports Snowpark:
longer than a login and a plan together. None is needed to send statements and to read rows. `import_lightly` is for a
process that is the command's own; a program that uses this package has its connector whole.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LARGE = ("pandas", "pyarrow", "numpy", "boto3", "botocore")
_OPTIONS = "snowflake.connector.options"

_left_out: list[str] = []
"""What the connector was told is not installed, until it is completed."""

_hiding = threading.RLock()
"""Held while a library is hidden, so that no other thread looks for it then."""


def import_lightly() -> None:
    """Import the connector without those libraries; does nothing where it, or they, are there already."""
    if "snowflake.connector" in sys.modules:
        return
    with _hiding, _hidden(*_LARGE) as names:
        try:
            import snowflake.connector  # noqa: F401
        except ImportError:  # it is not installed, as whoever needs it will be told
            return
    _left_out.extend(names)


def complete_connector() -> None:
    """Give the clients what was left out: before Snowpark, pandas or the credentials of a cloud are used with them."""
    with _hiding:
        if _left_out:
            _left_out.clear()
            _complete()


def _complete() -> None:
    options: Any = sys.modules[_OPTIONS]
    stand_ins: list[Any] = [options.pandas, options.pyarrow, options.botocore, options.boto3]
    pandas, pyarrow, has_pandas = options._import_or_missing_pandas_option()
    botocore, boto3, has_boto = options._import_or_missing_boto_option()
    libraries: list[Any] = [pandas, pyarrow, botocore, boto3]
    flags = {"installed_pandas": has_pandas, "installed_boto": has_boto}
    _replace("snowflake.connector", stand_ins, libraries, flags)
    # These two hold None for what could not be imported.
    for module, library in (("arrow_context", "numpy"), ("nanoarrow_arrow_iterator", "pyarrow")):
        holder: Any = sys.modules.get(f"snowflake.connector.{module}")
        if has_pandas and getattr(holder, library, holder) is None:
            setattr(holder, library, sys.modules[library])
    core: Any = sys.modules.get("snowflake.core._options")
    if core is not None and not core.installed_snowpark:
        stand_ins = [core.snowpark]
        snowpark, has_snowpark = core._import_or_missing_snowpark()
        _replace("snowflake.core", stand_ins, [snowpark], {"installed_snowpark": has_snowpark})


def _replace(package: str, stand_ins: list[Any], libraries: list[Any], flags: dict[str, bool]) -> None:
    """Put the libraries where the package's modules hold their stand-ins, and say whether they are installed."""
    found = dict(zip(map(id, stand_ins), libraries, strict=True))
    for name, module in [*sys.modules.items()]:
        # What tells clouds apart took parts of boto3 when it was imported: it goes on without.
        if not name.startswith(package) or name.endswith(".platform_detection"):
            continue
        for key, value in [*vars(module).items()]:
            if id(value) in found:
                setattr(module, key, found[id(value)])
            elif key in flags:
                setattr(module, key, flags[key])


@contextmanager
def without_snowpark() -> Iterator[None]:
    """A block in which `snowflake.core` is imported for tasks alone, in a process whose connector is light."""
    with _hiding:
        if not _left_out:
            yield
            return
        with _hidden("snowflake.snowpark"):
            yield


@contextmanager
def _hidden(*names: str) -> Iterator[list[str]]:
    """A block in which importing any of these that is not there yet fails, as where it is not installed."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield hidden
    finally:
        for name in hidden:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
