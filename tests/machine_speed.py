"""How slow the machine is that the tests run on, where they bound processor time."""

from __future__ import annotations

import os

SLOWNESS = float(os.environ.get("SFML_SLOWNESS", "1"))
"""Bounds are for a quiet machine of 2026; one that others share takes up to twice as long for the same work."""
