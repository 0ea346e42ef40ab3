"""Where the command `sfml` and the pytest plugin start: makes sure that `import sfml` means this project.

The distribution `sfml` is another project, whose package has that name, too. In one environment with this one it may be
imported in its place, or have overwritten its first file; then nothing below `sfml` can say what is wrong.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["main", "require_own_package"]


def main() -> None:
    """Run the command line, or say that it cannot be found."""
    try:
        require_own_package()
    except ImportError as error:
        sys.exit(f"error: {error}")
    from sfml.cli import main as run

    run()


def require_own_package() -> None:
    """Raise ImportError, with what to do, where `import sfml` finds another project's package."""
    try:
        from sfml import __distribution__ as name
    except Exception:  # the other package may well need libraries that are not there
        name = ""
    if name != "sfml-snowflake":
        spec = find_spec("sfml")
        raise ImportError(
            f"`import sfml` finds another project's package: {spec.origin if spec else 'none'}\n"
            "help: pip uninstall sfml, then install sfml-snowflake again with --force-reinstall --no-deps"
        )
