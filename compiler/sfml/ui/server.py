"""Serves the pages on this machine: one address, one token, until the command ends."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from sfml.base.errors import UsageError
from sfml.base.record import record
from sfml.ui.accounts import Accounts
from sfml.ui.guard import TOKEN, Secrets
from sfml.ui.pages import Pages
from sfml.ui.readings import Readings
from sfml.ui.rendering import Site
from sfml.ui.routes import application
from sfml.ui.specs import SpecOptions, Specs

LOOPBACK = "127.0.0.1"


@record
class Served:
    """A page that is served: its address with the token, and its readings."""

    address: str
    readings: Readings


@contextmanager
def serving(options: SpecOptions, site: Site, port: int = 0) -> Iterator[Served]:
    """Serve during the block, which gets the address and the readings. Raises `UsageError` for a taken port."""
    listening = listening_socket(port)
    keys = Secrets.new()
    own_port = listening.getsockname()[1]
    readings = Readings(Accounts())
    app = application(Pages(Specs(options), readings), site, keys, own_port)
    config = uvicorn.Config(
        app,
        log_level="critical",
        log_config=None,
        access_log=False,  # addresses hold the token
        server_header=False,
        http="h11",  # bounds the head of a request, which `httptools` does not
        timeout_graceful_shutdown=1,
        limit_concurrency=200,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sfml-ui", daemon=True)
    thread.start()
    try:
        yield Served(f"http://{LOOPBACK}:{own_port}/?{TOKEN}={keys.token}", readings)
    finally:
        server.should_exit = True
        thread.join(5)
        listening.close()
        readings.close()


def listening_socket(port: int) -> socket.socket:
    """A socket that listens on this machine alone; port 0 takes a free one."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as cause:
        listening.close()
        if cause.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise UsageError(
            f"port {port} cannot be used: {cause.strerror}",
            help="choose another one; --port 0 takes a free one",
        ) from cause
    listening.listen(128)
    return listening
