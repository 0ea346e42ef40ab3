"""Logs of tests are caught as pytest catches them, also from loggers that pass nothing on."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from quick_logs import QuickCatching, last_stops


@pytest.fixture
def silent(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    """A new logger that passes nothing on."""
    logger = logging.getLogger(request.node.name)
    logger.propagate = False
    yield logger
    logger.propagate = True


@pytest.fixture
def handler() -> logging.Handler:
    return logging.NullHandler()


def test_what_is_told_is_caught(caplog: pytest.LogCaptureFixture, silent: logging.Logger) -> None:
    """The fixture made a logger before the test's own part began, which is when loggers are looked for."""
    silent.warning("by itself")
    logging.getLogger("tests.told").warning("by the root")
    assert caplog.messages == ["by itself", "by the root"]


def test_it_hangs_a_handler_on_the_root_and_where_logs_end(
    silent: logging.Logger, handler: logging.Handler
) -> None:
    with QuickCatching(handler) as entered:
        assert entered is handler
        assert handler in logging.root.handlers and handler in silent.handlers
    assert handler not in logging.root.handlers and handler not in silent.handlers


def test_what_passes_on_again_is_caught_once(silent: logging.Logger, handler: logging.Handler) -> None:
    assert silent in last_stops()
    silent.propagate = True
    with QuickCatching(handler):
        assert handler not in silent.handlers


def test_levels_are_those_of_the_block(handler: logging.Handler) -> None:
    before = logging.root.level
    with QuickCatching(handler, level=logging.DEBUG):
        assert (logging.root.level, handler.level) == (logging.DEBUG, logging.DEBUG)
    assert logging.root.level == before
