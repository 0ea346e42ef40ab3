"""Entry points of the command `sfml` and the pytest plugin. They check that `import sfml` imports this project.

The distribution `sfml` is another project, whose package has the same name. If it is installed in the same
environment, it may be imported instead, or have overwritten files. Code below `sfml` could not report that.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main", "require_own_package"]


def main() -> None:
    """Run the command line; exits with an error message if another project's `sfml` is installed."""
    try:
        require_own_package()
    except ImportError as error:
        sys.exit(f"error: {error}")
    try:
        from sfml.cli import main as run

        run()
    except KeyboardInterrupt:  # while modules were imported: there is nothing to tell
        sys.exit(130)


def require_own_package() -> None:
    """Raise `ImportError`, with help, if `import sfml` imports another project's package."""
    try:
        from sfml import __distribution__ as name
    except Exception:  # the other package may need libraries that are not installed
        name = ""
    if name != "sfml-snowflake":
        spec = find_spec("sfml")
        raise ImportError(
            f"`import sfml` finds another project's package: {spec.origin if spec else 'none'}\n"
            "help: pip uninstall sfml, then install sfml-snowflake again with --force-reinstall --no-deps"
        )
