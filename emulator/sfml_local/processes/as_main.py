"""Runs a script as `python SCRIPT …` would, in a process that was started or forked for it: an ML Job's launcher.

Uses only the standard library, and is itself a script (`python as_main.py SCRIPT …`), because it also runs in
environments of jobs.

A job of one instance has no Ray cluster until its own code starts one. The launcher would join a cluster wherever Ray
is installed, and fail if there is none; so Ray is hidden from the launcher only. `ray.init(address="auto")` in the
job's code finds RAY_ADDRESS, which says `local`, and starts a cluster of one node (`ray_settings`).
"""

from __future__ import annotations

import atexit
import builtins
import os
import secrets
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

INSTANCES = "SNOWFLAKE_JOBS_COUNT"

SPANS = "SFML_SPANS"
"""The variable with the file of the job's spans."""


_RUNTIME = Path(__file__).parents[1] / "job_runtime"
CONTAINER_MODULES = {"snowflake.ml.modeling.distributors": _RUNTIME / "distributors"}
"""Packages that jobs can import, unless a package that is installed has them."""


class _HiddenRay:
    """A finder in `sys.meta_path` that hides Ray from the launcher."""

    def __init__(self, launcher: str) -> None:
        self._launcher = launcher

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name == "ray" and _importer(sys._getframe(1)) == self._launcher:
            raise ModuleNotFoundError("Ray is started by the job's own code", name=name)


class _ContainerModules:
    """A finder at the end of `sys.meta_path`: what Snowflake's container has and its package on PyPI lacks."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        folder = CONTAINER_MODULES.get(name)
        if folder is None:
            return None
        return spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])


def _importer(frame: FrameType | None) -> str | None:
    """The file whose import statement is being executed."""
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return None if frame is None else frame.f_code.co_filename


def ray_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for Ray: files in the job's home, no usage reports, and a token.

    Ray listens on all addresses of the machine; with a token, it serves only clients that know it.
    https://docs.ray.io/en/latest/ray-security/token-auth.html
    """
    given = {
        "RAY_ADDRESS": "local",
        "RAY_TMPDIR": env.get("HOME", "."),
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    return {name: value for name, value in given.items() if name not in env}


def run(script: str, arguments: Sequence[str]) -> int:
    """Run the script to its end, including its remaining threads and exit functions; returns the exit code."""
    spans = os.environ.pop(SPANS, None)
    tracing = _tracing().begin(None if spans is None else Path(spans))
    os.environ.update(ray_settings(os.environ))
    if os.environ.get(INSTANCES, "1") == "1":
        sys.meta_path.insert(0, _HiddenRay(script))
    sys.meta_path.append(_ContainerModules())
    main = ModuleType("__main__")
    main.__file__ = script
    main.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).parent))
    try:
        exec(compile(Path(script).read_bytes(), script, "exec"), main.__dict__)
        code = 0
    except SystemExit as ended:
        code = _exit_code(ended.code)
    except BaseException as error:
        # This module's frame does not belong to the script's traceback.
        traceback.print_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
        code = 1
    finally:
        tracing.finish()
        _end()
    return code


def _tracing() -> Any:
    """The module beside this one, by its path, because a job's environment need not have its package."""
    spec = spec_from_file_location("_sfml_tracing", Path(__file__).with_name("tracing.py"))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _exit_code(given: Any) -> int:
    if given is None:
        return 0
    if isinstance(given, int):
        return given & 0xFF
    print(given, file=sys.stderr)
    return 1


def _end() -> None:
    """Do what the interpreter does at its end, because a forked process that ends by `os._exit` skips it."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # the script closed it


if __name__ == "__main__":
    sys.path.pop(0)
    os._exit(run(sys.argv[1], sys.argv[2:]))
