"""How many examples a property is tried on: few at each run, many where `SFML_TEST_PROFILE=deep` asks for them."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

USUAL = 60
"""The examples of a test that says nothing of its own."""
DEPTHS = {"default": 1, "deep": 10}
"""Profile → how many times as many examples every property is tried on."""

PROFILE = os.environ.get("SFML_TEST_PROFILE", "default")


def register_profiles() -> None:
    """Tell hypothesis of the profiles, and load the one that the environment names."""
    for name, depth in DEPTHS.items():
        # A busy machine is no reason to fail: bounds of time are tests of their own.
        settings.register_profile(
            name, max_examples=USUAL * depth, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
    settings.load_profile(PROFILE)


def examples(usual: int, **more: Any) -> settings:
    """The settings of a property with examples that cost more, or less, than those of others."""
    return settings(max_examples=usual * DEPTHS[PROFILE], **more)
