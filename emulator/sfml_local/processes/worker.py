"""The process that runs one procedure: `python -m sfml_local.processes.worker REQUEST`, a file that `procedures` wrote.

It prints the user's output to the log, and writes its answer into the file that the request
names. Only the standard library is imported before the answer is certain to be written.
"""

from __future__ import annotations

import importlib
import json
import linecache
import logging
import os
import sys
import traceback
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from sfml_local.processes import scoped_files, session_sql, zipped_modules
from sfml_local.processes.tracing import begin as begin_tracing
from sfml_local.processes.transport import decoded, encoded

# The name that Snowflake gives the text between AS and CALL in a traceback.
BODY_FILE = "_udf_code.py"


def main(request_file: str) -> int:
    """Run the request; the exit code says whether the procedure returned."""
    request: dict[str, Any] = json.loads(Path(request_file).read_text(encoding="utf-8"))
    try:
        answer = _run(request)
    except BaseException as error:
        text = user_traceback(error, session_sql.__file__)
        print(text, file=sys.stderr)
        answer = {"error": text}
    _flush()
    _write(Path(request["answer"]), json.dumps(answer))
    return 1 if "error" in answer else 0


def _run(request: Mapping[str, Any]) -> dict[str, Any]:
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    if logging.root.level != logging.INFO:
        set_levels(logging.INFO, logging.WARNING)
    open_imports(request["import_directory"])
    tracing = begin_tracing(Path(request["spans"]))
    scoped_files.begin(has_session=True)
    # Load the code first, so that a missing handler or a syntax error is reported without a connection.
    handler = load_handler(request["handler"], request["body"])
    # Never closed, as in Snowflake: the server closes all sessions of this process when it ends.
    session = _connect()
    try:
        value = handler(session, *decoded(request["arguments"]))
    finally:
        tracing.finish()
    if request["returns"] == "table":
        return {"table": written_table(value, Path(request["answer"]).with_suffix(".parquet"))}
    return {"result": encoded(_returned(value, request["returns"]))}


def set_levels(root: int, clients: int) -> None:
    """What is logged, in general and by the clients.

    `warm_parent` sets the levels of procedures before it forks: each setting goes through all loggers, which a forked
    process would copy.
    """
    logging.root.setLevel(root)
    for name in ("snowflake.connector", "snowflake.snowpark", "snowflake.ml"):
        logging.getLogger(name).setLevel(clients)


def written_table(value: Any, path: Path) -> str:
    """The file with the rows of a data frame of Snowpark or pandas."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if hasattr(value, "to_arrow"):
        rows = value.to_arrow()
    elif hasattr(value, "to_dict"):
        rows = pa.Table.from_pandas(value, preserve_index=False)
    else:
        raise TypeError(f"a procedure that RETURNS TABLE returned {type(value).__name__} and no data frame")
    pq.write_table(rows, path)
    return str(path)


def open_imports(directory: str) -> None:
    """Make the imported files importable as Snowflake does: the directory and every zip in it."""
    # Snowflake's own example reads this option to find imported files, and expects the slash.
    # https://docs.snowflake.com/en/developer-guide/stored-procedure/python/procedure-python-read-file
    sys._xoptions["snowflake_import_directory"] = f"{directory}/"
    archives = [str(path) for path in sorted(Path(directory).iterdir()) if zipfile.is_zipfile(path)]
    # Users' code must not see the working directory, which `-m` puts first.
    sys.path[:] = [directory, *archives, *(path for path in sys.path if path not in ("", str(Path.cwd())))]
    zipped_modules.begin()


def load_handler(handler: str, body: str | None) -> Callable[..., Any]:
    """The function to call: `name` in the body, or `module.name` in an imported file."""
    if body is None:
        module_name, _, name = handler.rpartition(".")
        if not module_name:
            raise ImportError(f"HANDLER '{handler}' has to be module.function when there is no inline code")
        module = importlib.import_module(module_name)
    else:
        name = handler.rpartition(".")[2]
        module = ModuleType("_udf_code")
        module.__file__ = BODY_FILE
        sys.modules["_udf_code"] = module
        linecache.cache[BODY_FILE] = (len(body), None, body.splitlines(keepends=True), BODY_FILE)
        exec(compile(body, BODY_FILE, "exec"), module.__dict__)
    function = getattr(module, name, None)
    if not callable(function):
        raise AttributeError(f"Could not find handler '{handler}': there is no function `{name}`")
    found: Callable[..., Any] = function
    return found


def _connect() -> Any:
    from snowflake.snowpark import Session

    # The connector would go through all imported modules to send their names: a forked process copies them for that.
    settings: dict[str, Any] = {
        "log_imported_packages_in_telemetry": False,
        "application": "PythonSnowpark",  # Snowpark would look for packages of applications in all folders
    }
    settings |= {
        name: value
        for name in ("account", "user", "password", "host", "port", "protocol", "database", "schema", "role")
        if (value := os.environ.get(f"SNOWFLAKE_{name.upper()}"))
    }
    if warehouse := os.environ.get("SNOWFLAKE_WAREHOUSE"):
        settings["warehouse"] = warehouse
    session_sql.begin(Session)
    return Session.builder.configs(settings).create()


def _returned(value: Any, type_: str) -> Any:
    """The handler's return value in the declared type."""
    if value is None:
        return None
    if type_ == "text":
        return value if isinstance(value, str) else str(value)
    if type_ == "boolean":
        return bool(value)
    if type_ == "real":
        return float(value)
    if type_ in ("variant", "object", "array"):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


def user_traceback(error: BaseException, *own: str) -> str:
    """The traceback without the frames of this module, of imports, and those of `own`, as Snowflake shows it."""
    hidden = {__file__, zipped_modules.__file__, *own}
    shown = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = shown
    while part is not None:
        kept = [frame for frame in part.stack if frame.filename not in hidden]
        part.stack = traceback.StackSummary.from_list(kept)
        part = part.__cause__ or part.__context__
    return "".join(shown.format()).rstrip("\n")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # the user's code closed it


def _write(path: Path, text: str) -> None:
    """Write the answer atomically, because the server must never read a part of it."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    code = main(sys.argv[1])
    # Threads that the user's code left running must not keep a finished procedure alive.
    os._exit(code)
