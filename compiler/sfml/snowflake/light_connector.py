"""Imports Snowflake's clients without large optional libraries.

The connector imports pandas, pyarrow and boto3 if they are installed, and `snowflake.core` imports Snowpark. This takes
longer than a login and a plan together, and statements and rows need none of them. Only the command uses
`import_lightly`, in a process of its own; programs that use this package get the complete connector.
"""

from __future__ import annotations

import gc
import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LARGE = ("pandas", "pyarrow", "numpy", "boto3", "botocore")
_OPTIONS = "snowflake.connector.options"

_left_out: list[str] = []
"""Names of the libraries that were hidden from the connector; empty once it is complete."""

_hiding = threading.RLock()
"""Held while libraries are hidden, so that no other thread imports them then."""


def import_lightly() -> None:
    """Import the connector without these libraries, unless the connector is already imported."""
    if "snowflake.connector" in sys.modules:
        return
    with _hiding, _hidden(*_LARGE) as names:
        try:
            import snowflake.connector  # noqa: F401
        except ImportError:  # not installed; the error is raised when it is needed
            return
    _left_out.extend(names)


def complete_connector() -> None:
    """Make hidden libraries available to the clients. Call it before using Snowpark, pandas or cloud credentials."""
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
    # These two modules hold None for a library that could not be imported.
    for module, library in (("arrow_context", "numpy"), ("nanoarrow_arrow_iterator", "pyarrow")):
        holder: Any = sys.modules.get(f"snowflake.connector.{module}")
        if has_pandas and getattr(holder, library, holder) is None:
            setattr(holder, library, sys.modules[library])
    core = _imported_core()
    if core is not None and not core.installed_snowpark:
        stand_ins = [core.snowpark]
        snowpark, has_snowpark = core._import_or_missing_snowpark()
        _replace("snowflake.core", stand_ins, [snowpark], {"installed_snowpark": has_snowpark})


def _imported_core() -> Any:
    """The options of `snowflake.core`, if it was imported; waits for another thread that is importing it."""
    name = "snowflake.core._options"
    return importlib.import_module(name) if name in sys.modules else None


def _replace(package: str, stand_ins: list[Any], libraries: list[Any], flags: dict[str, bool]) -> None:
    """Replace the stand-ins in the package's modules by the libraries, and set the flags that they are installed."""
    libraries_by_id = dict(zip(map(id, stand_ins), libraries, strict=True))
    for name, module in [*sys.modules.items()]:
        # The detection of the cloud platform imported parts of boto3 at its import; it works without boto3.
        if not name.startswith(package) or name.endswith(".platform_detection"):
            continue
        for key, value in [*vars(module).items()]:
            if id(value) in libraries_by_id:
                setattr(module, key, libraries_by_id[id(value)])
            elif key in flags:
                setattr(module, key, flags[key])


@contextmanager
def without_snowpark() -> Iterator[None]:
    """A block in which `snowflake.core` is imported without Snowpark, if the connector was imported lightly."""
    with _hiding, _without_collecting():
        if not _left_out:
            yield
            return
        with _hidden("snowflake.snowpark"):
            yield


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A block of imports: hardly anything that they make is garbage, and looking for it takes a fifth of their time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _hidden(*names: str) -> Iterator[list[str]]:
    """A block in which importing these libraries fails as if they were not installed, unless already imported."""
    hidden = [name for name in names if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield hidden
    finally:
        for name in hidden:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
