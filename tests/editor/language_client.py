"""A small client of language servers: a process, messages both ways, and what the server has published."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

Message = dict[str, Any]
Popen = type[subprocess.Popen[bytes]]


class LanguageClient:
    """A client of one server. It declares nothing unless it is told to, as the simplest editors do."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        capabilities: Mapping[str, Any] | None = None,
        limit: float = 180,
        popen: Popen = subprocess.Popen,
    ) -> None:
        self.process = popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.limit = limit
        self.texts: dict[Path, str] = {}
        self.published: dict[str, list[Message]] = {}
        self.notices: list[Message] = []
        self.requests: list[Message] = []
        self._versions: dict[Path, int] = {}
        self._count = 0
        self._arrived: SimpleQueue[Message | None] = SimpleQueue()
        self._replies: dict[int, Message] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        self.errors: list[str] = []
        threading.Thread(target=self._hear, daemon=True).start()
        self.capabilities = self.request(
            "initialize",
            {"processId": None, "rootUri": folder.as_uri(), "capabilities": dict(capabilities or {})},
        )["capabilities"]
        self.notify("initialized", {})

    # Messages.

    def _listen(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline().strip()) or not length:
                if not line:
                    self._arrived.put(None)
                    return
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            self._arrived.put(json.loads(stream.read(length)))

    def _hear(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line.decode(errors="replace"))

    def send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_raw(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def send_raw(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: Any) -> int:
        """Send a request; the number by which its answer is waited for."""
        self._count += 1
        self.send({"id": self._count, "method": method, "params": params})
        return self._count

    def request(self, method: str, params: Any) -> Any:
        number = self.ask(method, params)
        reply = self.reply(number)
        assert "error" not in reply, reply["error"]
        return reply["result"]

    def reply(self, number: int) -> Message:
        self.wait(lambda: number in self._replies)
        return self._replies.pop(number)

    def wait(self, is_there: Callable[[], bool]) -> None:
        """Take in what arrives until the condition holds."""
        until = time.monotonic() + self.limit
        while not is_there():
            try:
                message = self._arrived.get(timeout=max(until - time.monotonic(), 0.01))
            except Empty:
                raise AssertionError(f"the server said nothing more; {self.published}") from None
            assert message is not None, f"the server has ended: {''.join(self.errors)}"
            self._take(message)

    def _take(self, message: Message) -> None:
        match message:
            case {"method": "textDocument/publishDiagnostics", "params": params}:
                self.published[params["uri"]] = params["diagnostics"]
                self.notices.append(message)
            case {"method": _, "id": number}:
                self.requests.append(message)
                self.send({"id": number, "result": None})
            case {"method": _}:
                self.notices.append(message)
            case {"id": number}:
                self._replies[number] = message

    # Documents.

    def open(self, path: Path, text: str | None = None, language: str = "yaml") -> None:
        self.texts[path] = path.read_bytes().decode() if text is None else text
        self._versions[path] = 1
        item = {"uri": path.as_uri(), "languageId": language, "version": 1, "text": self.texts[path]}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def type(self, path: Path, text: str) -> None:
        """Replace the whole text of an open document."""
        self.texts[path] = text
        self._versions[path] += 1
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": path.as_uri(), "version": self._versions[path]},
                "contentChanges": [{"text": text}],
            },
        )

    def edit(self, path: Path, old: str, new: str) -> None:
        assert self.texts[path].count(old) == 1, (old, self.texts[path].count(old))
        self.type(path, self.texts[path].replace(old, new))

    def close(self, path: Path) -> None:
        del self.texts[path]
        self.notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})

    def close_all(self) -> None:
        """Close every document, and take in what the server says of it."""
        for path in list(self.texts):
            self.close(path)
        self.reply(self.ask("textDocument/unknown", {}))  # the server has answered all that was sent before

    def forget(self) -> None:
        """Forget what the server has said."""
        self.published.clear()
        self.notices.clear()
        self.requests.clear()

    def save(self, path: Path) -> None:
        path.write_bytes(self.texts[path].encode())
        self.notify("textDocument/didSave", {"textDocument": {"uri": path.as_uri()}})

    def codes(self, path: Path) -> list[str]:
        return sorted(one["code"] for one in self.published.get(path.as_uri(), ()))

    def until(self, path: Path, *codes: str) -> list[Message]:
        """Wait until a document has findings of exactly these codes; they."""
        self.wait(lambda: path.as_uri() in self.published and self.codes(path) == sorted(codes))
        return self.published[path.as_uri()]

    def at(self, path: Path, place: str) -> dict[str, Any]:
        """The parameters of a request at a place, written as a stretch of the text with `|` where the cursor is."""
        before, _, after = place.partition("|")
        text = self.texts[path]
        assert text.count(before + after) == 1, (place, text.count(before + after))
        offset = text.index(before + after) + len(before)
        head = text[:offset].replace("\r\n", "\n")
        line = head.count("\n")
        column = len(head.rpartition("\n")[2].encode("utf-16-le")) // 2
        return {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": column}}

    def stop(self) -> int:
        """End as editors do; the exit code of the server."""
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(self.limit)
