"""Which release this is, and what pip knows the package by."""

from __future__ import annotations

VERSION = "0.2.0"

DISTRIBUTION = "sfml-snowflake"
"""What pip knows this package by. The distribution `sfml` is another project's, with a package of that name."""
