"""The version of this release, and the name of its distribution."""

from __future__ import annotations

VERSION = "0.2.0"

DISTRIBUTION = "sfml-snowflake"
"""The name that pip installs this package by. The distribution `sfml` belongs to another project."""
