"""`python -m sfml_local`: a local Snowflake in the foreground, for containers and process managers."""

from __future__ import annotations

import sys

from sfml.local.__main__ import main

if __name__ == "__main__":
    sys.exit(main(foreground=True))
