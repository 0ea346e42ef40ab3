"""The packages that a step imports, by their names in Snowflake's channel of packages."""

from __future__ import annotations

import re
import sys

from sfml.base.diagnostic import Severity
from sfml.catalog import StepCatalog
from sfml.catalog.code import loads
from sfml.check.programs import Program

# Import name → package, where the names differ; the longest import name that fits is used.
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
# Package → the packages that are installed with it.
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
    """The packages that the step imports and that `requested` does not install, sorted."""
    installed = {re.split(r"[\s<>=!~\[]", package, maxsplit=1)[0].lower() for package in requested} | _ALWAYS
    for package in tuple(installed):
        installed |= _WITH.get(package, set())
    program = Program(catalog, step, is_script=False)
    imported: set[str] = set()
    for module in program.modules:
        for load in loads(module):
            if (
                load.module is None
                or load.is_optional
                or load.around.catches("ImportError", "ModuleNotFoundError")
            ):
                continue
            names = [f"{load.module}.{name}" for name in load.names] or [load.module]
            new = {package for name in names if (package := _package(catalog, name)) is not None} - imported
            if new and program.severity(load.around) is Severity.ERROR:
                imported |= new
    return tuple(sorted(package for package in imported if package.lower() not in installed))


def _package(catalog: StepCatalog, name: str) -> str | None:
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names or catalog.is_ours(parts[0]):
        return None
    for count in range(len(parts), 0, -1):
        package = _PACKAGES.get(".".join(parts[:count]))
        if package is not None:
            return package
    return None if parts[0] in ("snowflake", "_snowflake") else parts[0]
