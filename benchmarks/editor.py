"""What a keystroke costs the language server: the CPU time of its process, up to the first and up to all findings."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from generated import PROJECT, large_graph, many_pipelines
from page import ROOT

sys.path.insert(0, str(ROOT / "tests" / "editor"))

from language_client import LanguageClient

SFML = str(Path(sys.executable).with_name("sfml"))
TARGETS = PROJECT + "  second: {kind: local}\n  third: {kind: local}\n"
ROUNDS = 15


def measured(folder: Path) -> Iterator[str]:
    """The lines of the table."""
    yield (
        "| project, 3 targets | opened | a keystroke: the open file, default target "
        "| all targets and pipelines | a new line | completion | hover |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for tasks in (10, 100, 1000):
        entry = large_graph(folder / f"tasks_{tasks}", tasks)
        yield f"| {tasks} tasks | {_row(entry)} |"
    specs = many_pipelines(folder / "many", 200)
    yield f"| 200 pipelines of 10 tasks | {_row(specs / 'pipeline_000.yaml')} |"


def _row(entry: Path) -> str:
    root = entry.parent if (entry.parent / "sfml.yaml").exists() else entry.parent.parent
    (root / "sfml.yaml").write_text(TARGETS, encoding="utf-8")
    client = LanguageClient((SFML, "lsp"), root.resolve(), dict(os.environ), limit=120)
    try:
        return " | ".join(f"{1000 * seconds:.0f} ms" for seconds in _figures(client, entry.resolve()))
    finally:
        client.stop()


def _figures(client: LanguageClient, entry: Path) -> Iterator[float]:
    before = _cpu(client)
    client.open(entry)
    client.until(entry)
    _settle(client)
    yield _cpu(client) - before
    text = client.texts[entry]
    # A word in the middle of the file becomes wrong, and right again: both have to be told.
    half = text.index("sql: insert", len(text) // 2)
    wrong = text[:half] + "sqk" + text[half + 3 :]
    below = text[:half] + "comment: one more\n      " + text[half:]
    first, whole, lines = [], [], []
    for _ in range(ROUNDS):
        for typed, codes in ((wrong, True), (text, False)):
            begun = _cpu(client)
            client.published.pop(entry.as_uri(), None)
            client.type(entry, typed)
            client.wait(partial(_has_findings, client, entry, codes))
            first.append(_cpu(client) - begun)
            _settle(client)
            whole.append(_cpu(client) - begun)
        for typed in (below, text):
            begun = _cpu(client)
            client.published.pop(entry.as_uri(), None)
            client.type(entry, typed)
            client.wait(lambda: entry.as_uri() in client.published)
            lines.append(_cpu(client) - begun)
            _settle(client)
    yield from (statistics.median(first), statistics.median(whole), statistics.median(lines))
    for method in ("textDocument/completion", "textDocument/hover"):
        taken = []
        for index in range(ROUNDS):
            client.type(entry, text.replace("version: 1", f"version: 1 # {index}", 1))
            _settle(client)
            begun = _cpu(client)
            client.request(method, _at(client, entry))
            taken.append(_cpu(client) - begun)
        yield statistics.median(taken)


def _has_findings(client: LanguageClient, entry: Path, wanted: bool) -> bool:
    """Whether the findings of the file were published anew, and are there or not, as is wanted."""
    found = client.published.get(entry.as_uri())
    return found is not None and bool(found) is wanted


def _at(client: LanguageClient, entry: Path) -> dict[str, object]:
    text = client.texts[entry]
    offset = text.index("after: [", len(text) // 2) + len("after: [")
    line = text.count("\n", 0, offset)
    place = {"line": line, "character": offset - text.rfind("\n", 0, offset) - 1}
    return {"textDocument": {"uri": entry.as_uri()}, "position": place}


def _cpu(client: LanguageClient) -> float:
    """The CPU time of the server so far, in seconds."""
    fields = Path(f"/proc/{client.process.pid}/schedstat").read_text(encoding="ascii").split()
    return int(fields[0]) / 1e9


def _settle(client: LanguageClient) -> None:
    """Wait until the server has nothing more to do."""
    last = -1.0
    while (now := _cpu(client)) != last:
        last = now
        time.sleep(0.15)
    client.request("textDocument/foldingRange", {"textDocument": {"uri": next(iter(client.texts)).as_uri()}})
