"""How many graphs were tried, told at the end of the output."""

from __future__ import annotations

from collections import Counter

import pytest

TRIED: dict[str, Counter[str]] = {}


@pytest.fixture(scope="session")
def tried() -> dict[str, Counter[str]]:
    """Where → what → how often."""
    return TRIED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for where, counts in TRIED.items():
        told = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
        terminalreporter.write_line(f"random graphs {where}: {told}")
