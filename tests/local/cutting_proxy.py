"""A TCP proxy that cuts connections at the worst moment: when the server has done what it was asked."""

from __future__ import annotations

import contextlib
import socket
import threading

MARK = b"POST /queries/v1/query-request"


class CuttingProxy:
    """Passes bytes on. After `cut(times)` the next statements' answers are dropped with their connections.

    `early` cuts as soon as the statement is passed on, while the server still works on it.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._lock = threading.Lock()
        self._cuts = 0
        self._early = False
        self.statements = 0
        """How many statements came through, repeats included."""
        self.dropped = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, times: int, *, early: bool = False) -> None:
        with self._lock:
            self._cuts, self._early, self.statements, self.dropped = times, early, 0, 0

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._target)
                dropping = threading.Event()
                for work in (self._pass_request, self._pass_answer):
                    threading.Thread(target=work, args=(client, server, dropping), daemon=True).start()

    def _pass_request(self, client: socket.socket, server: socket.socket, dropping: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                early = False
                if MARK in data:
                    with self._lock:
                        self.statements += 1
                        if self._cuts:
                            self._cuts -= 1
                            self.dropped += 1
                            dropping.set()
                            early = self._early
                server.sendall(data)
                if early:
                    _end(client)
                    return  # the server's side stays open: it must not notice
            _end(server)

    def _pass_answer(self, client: socket.socket, server: socket.socket, dropping: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if dropping.is_set():
                    break
                client.sendall(data)
        _end(client)
        _end(server)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
