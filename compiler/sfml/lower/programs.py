"""The programs that run a step in a procedure or an ML Job: they check the archive's hash, then call the runtime."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from sfml.base.quoting import dollar_quoted, dotted, folded, literal

PYTHON_VERSION = "3.11"
SNOWPARK = "snowflake-snowpark-python"

_HANDLER = """
import hashlib, os, sys
ARCHIVE, SHA256 = "steps.zip", "{sha256}"
def main(session, call):
    path = os.path.join(sys._xoptions["snowflake_import_directory"], ARCHIVE)
    with open(path, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != SHA256:
        raise RuntimeError(
            "the step code on the stage is not what this task was compiled with:"
            f" {{ARCHIVE}} has sha256 {{found}}, expected {{SHA256}}; run `sfml apply` again"
        )
    if path not in sys.path:
        sys.path.insert(0, path)
    from sfml_steps.runtime import run_step
    return run_step(session, call)
"""

_ALERTS_HANDLER = _HANDLER.replace("main(session, call)", "main(session, call, phase, error)").replace(
    "from sfml_steps.runtime import run_step\n    return run_step(session, call)",
    "from sfml_steps.alerting.report import report\n    return report(session, call, phase, error)",
)

_JOB_MAIN = '''"""Runs one step as an ML Job, from the archive beside this file."""
import hashlib
import sys
from pathlib import Path

ARCHIVE = Path(__file__).resolve().parent / "steps.zip"
SHA256 = "{sha256}"

found = hashlib.sha256(ARCHIVE.read_bytes()).hexdigest()
if found != SHA256:
    raise RuntimeError(
        "the step code on the stage is not what this job was compiled with:"
        f" {{ARCHIVE.name}} has sha256 {{found}}, expected {{SHA256}}; run `sfml apply` again"
    )
if str(ARCHIVE) not in sys.path:
    sys.path.insert(0, str(ARCHIVE))

if __name__ == "__main__":
    from sfml_steps.runtime import run_job

    run_job(sys.argv[1])
'''


def procedure_call(
    sha256: str,
    archive: str,
    call: str,
    *,
    packages: Iterable[str] = (),
    external_access: Iterable[str] = (),
    secrets: Mapping[str, str] | None = None,
) -> str:
    """The anonymous procedure that runs a step; `archive` is a path with its stage, `call` the JSON argument."""
    clauses = [
        "WITH SFML_STEP AS PROCEDURE (CALL STRING)",
        "RETURNS STRING",
        "LANGUAGE PYTHON",
        f"RUNTIME_VERSION = '{PYTHON_VERSION}'",
        f"PACKAGES = ({', '.join(literal(package) for package in with_snowpark(packages))})",
        f"IMPORTS = ({literal(archive)})",
    ]
    integrations = [folded(name) for name in external_access]
    if integrations:
        clauses.append(f"EXTERNAL_ACCESS_INTEGRATIONS = ({', '.join(integrations)})")
    if secrets:
        pairs = (f"{literal(name)} = {dotted(secrets[name])}" for name in sorted(secrets))
        clauses.append(f"SECRETS = ({', '.join(pairs)})")
    clauses += [
        "HANDLER = 'main'",
        f"AS {dollar_quoted(_HANDLER.format(sha256=sha256))}",
        f"CALL SFML_STEP({literal(call)})",
    ]
    return "\n".join(clauses)


def alerts_procedure(sha256: str, archive: str) -> str:
    """The anonymous procedure that sends alerts, up to its CALL; `archive` is a path with its stage."""
    clauses = (
        "WITH SFML_ALERTS AS PROCEDURE (CALL STRING, PHASE STRING, ERROR STRING)",
        "RETURNS STRING",
        "LANGUAGE PYTHON",
        f"RUNTIME_VERSION = '{PYTHON_VERSION}'",
        f"PACKAGES = ({literal(SNOWPARK)})",
        f"IMPORTS = ({literal(archive)})",
        "HANDLER = 'main'",
        f"AS {dollar_quoted(_ALERTS_HANDLER.format(sha256=sha256))}",
    )
    return "\n".join(clauses)


def job_main(sha256: str) -> bytes:
    """The `main.py` of a step that runs as an ML Job."""
    return _JOB_MAIN.format(sha256=sha256).encode()


def with_snowpark(packages: Iterable[str]) -> tuple[str, ...]:
    """The packages in their order, with Snowpark first if it is missing; every Python procedure needs it."""
    requested = tuple(packages)
    has_it = any(
        re.split(r"[\s\[=<>!~]", package, maxsplit=1)[0].lower() == SNOWPARK for package in requested
    )
    return requested if has_it else (SNOWPARK, *requested)
