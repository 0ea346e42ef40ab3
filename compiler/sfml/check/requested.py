"""Which packages a step imports, by the names that Snowflake's channel knows them under."""

from __future__ import annotations

import ast
import re
import sys

from sfml.catalog import StepCatalog
from sfml.catalog.imports import imports_of
from sfml.catalog.modules import RUNTIME, Module

# Import name → package, where they differ; the longest that fits counts.
_PACKAGES = {
    "snowflake.snowpark": "snowflake-snowpark-python",
    "snowflake.ml": "snowflake-ml-python",
    "snowflake.core": "snowflake.core",
    "snowflake.connector": "snowflake-connector-python",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "cv2": "opencv",
    "dateutil": "python-dateutil",
    "bs4": "beautifulsoup4",
    "skimage": "scikit-image",
}
# What comes along with a package that is requested.
_WITH = {
    "pandas": {"numpy", "python-dateutil", "pytz"},
    "scikit-learn": {"numpy", "scipy", "joblib"},
    "xgboost": {"numpy", "scipy"},
    "lightgbm": {"numpy", "scipy"},
    "snowflake-snowpark-python": {"snowflake-connector-python", "cloudpickle", "pyyaml"},
    "snowflake-ml-python": {
        *("numpy", "pandas", "scikit-learn", "snowflake-snowpark-python", "snowflake-connector-python"),
        *("cloudpickle", "pyyaml", "scipy", "python-dateutil", "pytz", "snowflake.core"),
    },
}
_ALWAYS = frozenset({"snowflake-snowpark-python"})  # every Python procedure needs it


def missing_packages(catalog: StepCatalog, step: str, requested: tuple[str, ...]) -> tuple[str, ...]:
    """The packages that the step imports and nothing requested brings, sorted."""
    there = {re.split(r"[\s<>=!~\[]", package, maxsplit=1)[0].lower() for package in requested} | _ALWAYS
    for package in tuple(there):
        there |= _WITH.get(package, set())
    found: set[str] = set()
    for module in catalog.modules_of(step):
        if module.tree is None or module.name.split(".")[0] == RUNTIME:
            continue
        tree = _surely_run(module, step)
        for one in imports_of(tree, module.name, module.is_package):
            names = [f"{one.module}.{name}" for name, _ in one.names] or [one.module]
            found |= {package for name in names if (package := _package(catalog, name)) is not None}
    return tuple(sorted(package for package in found if package.lower() not in there))


def _surely_run(module: Module, step: str) -> ast.Module:
    """The module's top level and the step function itself; other functions may never be called."""
    assert module.tree is not None
    owner, _, name = step.rpartition(".")
    kept = [
        statement
        for statement in module.tree.body
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try))
        or (isinstance(statement, ast.FunctionDef) and module.name == owner and statement.name == name)
    ]
    return ast.Module(body=kept, type_ignores=[])


def _package(catalog: StepCatalog, name: str) -> str | None:
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names or catalog.is_ours(parts[0]):
        return None
    for count in range(len(parts), 0, -1):
        package = _PACKAGES.get(".".join(parts[:count]))
        if package is not None:
            return package
    return None if parts[0] in ("snowflake", "_snowflake") else parts[0]
