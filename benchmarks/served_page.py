"""The page of `sfml ui` on a running local server: how fast it is there, how large, and what it asks of an account."""

from __future__ import annotations

import http.client
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from generated import PROJECT

from sfml.render.units import size
from sfml.testing.local_snowflake import LocalSnowflake, SharedServer

SFML = str(Path(sys.executable).with_name("sfml"))
SIZES = (6, 60, 600)
ROUNDS = 7
WATCHED = 30.0
"""Seconds for which one viewer looks while the statements to the account are counted."""

ACCOUNT = """version: 1
targets:
  dev: {connection: work, account: LOCAL-LOCAL, database: %s, schema: PUBLIC, warehouse: W}
"""


def measured(folder: Path) -> Iterator[str]:
    yield "| pipeline of | page | first time | again | size | what has changed |"
    yield "|---|---|---:|---:|---:|---:|"
    for tasks in SIZES:
        yield from _size(folder / str(tasks), tasks)
    yield ""
    yield "| one viewer looks at | statements to the account in a minute |"
    yield "|---|---:|"
    yield from _asked(folder / "account")


def _size(folder: Path, tasks: int) -> Iterator[str]:
    _project(folder, PROJECT, {"large": tasks})
    _sfml(folder, "local", "start")
    try:
        _sfml(folder, "apply", "--auto-approve", "-q")
        run = json.loads(_sfml(folder, "run", "large", "-o", "json"))["run_id"]
        with _served(folder) as page:
            page.get("/")
            for name, path in (("graph", "/p/large/"), ("run", f"/p/large/runs/{run}/")):
                first, html = page.timed(path)
                again = statistics.median(page.timed(path)[0] for _ in range(ROUNDS))
                changed = page.get(path, {"X-Live": "?"})
                yield (
                    f"| {tasks} tasks | {name} | {first * 1000:.0f} ms | {again * 1000:.0f} ms"
                    f" | {size(len(html))} | {size(len(changed))} |"
                )
    finally:
        _sfml(folder, "local", "stop")


def _asked(folder: Path) -> Iterator[str]:
    """The statements that a local server gets in the place of an account, which is watched for half a minute."""
    server = SharedServer(folder / "server").start()
    local = LocalSnowflake(server)
    try:
        _project(folder, ACCOUNT % local.database, {f"pipeline_{at:02}": 10 for at in range(20)})
        local.sql("CREATE WAREHOUSE IF NOT EXISTS W")
        environment = local.environment("work")
        _sfml(folder, "apply", "--auto-approve", "-q", environment=environment)
        with _served(folder, environment) as page:
            for name, path in (("20 pipelines", "/"), ("one of them", "/p/pipeline_00/"), ("nothing", None)):
                deadline = time.monotonic() + 15
                while time.monotonic() < deadline:  # until what was looked at before is not read any more
                    page.get(path) if path else time.sleep(1)
                    time.sleep(1)
                local.faults.forget_calls()
                deadline = time.monotonic() + WATCHED
                while time.monotonic() < deadline:
                    if path:
                        page.get(path, {"X-Live": "?"})
                    time.sleep(1)
                asked = sum(call.kind != "session" for call in local.calls)
                yield f"| {name} | {asked * 60 / WATCHED:.0f} |"
    finally:
        local.close()
        server.stop()


class _Page:
    """A page that is served, with the cookie that its address gave."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._port = parts.port or 0
        self._cookie = ""
        self.get(f"/?{parts.query}")

    def get(self, path: str, headers: dict[str, str] | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            connection.request("GET", path, headers={"Cookie": self._cookie, **(headers or {})})
            answer = connection.getresponse()
            self._cookie = self._cookie or (answer.getheader("set-cookie") or "").partition(";")[0]
            return answer.read()
        finally:
            connection.close()

    def timed(self, path: str) -> tuple[float, bytes]:
        began = time.perf_counter()
        html = self.get(path)
        return time.perf_counter() - began, html


@contextmanager
def _served(folder: Path, environment: dict[str, str] | None = None) -> Iterator[_Page]:
    process = subprocess.Popen(
        (SFML, "ui", "--no-open"), cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield _Page(found[0])
    finally:
        process.terminate()
        process.wait()


def _project(folder: Path, project: str, pipelines: dict[str, int]) -> None:
    """Pipelines of so many tasks, in chains of six beside each other."""
    (folder / "steps").mkdir(parents=True)
    (folder / "sfml.yaml").write_text(project, encoding="utf-8")
    for name, tasks in pipelines.items():
        lines = ["version: 1", f"pipeline: {name}", "graph:", "  version: 1", "  tasks:"]
        for at in range(tasks):
            after = f", after: [task_{at - tasks // 6:03}]" if at >= max(tasks // 6, 1) else ""
            lines.append(f"    task_{at:03}: {{sql: 'SELECT {at}'{after}}}")
        (folder / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _sfml(folder: Path, *words: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        (SFML, *words), cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
