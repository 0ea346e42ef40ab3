"""A text that is edited reads as if it were read as a whole, at every step, with every place."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sfml.frontend.reading import Reading, read
from sfml.graph.model import TaskGraph
from sfml.spec import edited_documents
from sfml.spec.documents import Documents
from sfml.spec.edited_documents import EditedDocuments
from sfml.spec.nodes import ListNode, MapNode, Node

PROJECT = """version: 1
defaults: {timeout: "{{ var.long }}"}
variables: {long: 1h}
targets:
  local: {kind: local, default: true}
  other: {kind: local, tasks: {task_1: {timeout: 5m}}}
"""
SCHEMA = "pipeline.schema.json"


def text_of(tasks: int, chance: random.Random) -> str:
    lines = ["version: 1", "pipeline: many", "graph:", "  config: {limit: 3}", "  tasks:  # all of them"]
    for index in range(tasks):
        lines += [f"    task_{index}:", f"      sql: select {index}"]
        if index:
            lines.append(f"      after: [task_{chance.randrange(index)}]")
        if index % 4 == 1:
            lines += ["      # told", "      comment: |", "        several", "", "        lines"]
        if index % 5 == 2:
            lines.append("")
    lines += ["targets:", "  other:", "    tasks:", "      task_2: {timeout: 9m}", "schedule: manual"]
    return "\n".join(lines) + "\n"


EDITS = (
    *(
        "      comment: x\n",
        "\n",
        "# a\n",
        "    task_1:\n",
        "      sql: select 99\n",
        "    new: {sql: select 1}\n",
    ),
    *(
        "      wrong: 1\n",
        "      timeout: [\n",
        "      log_level:\n",
        "  x",
        "'",
        "&a ",
        "*a",
        "\t",
        "      after: [task_3, nothing]\n",
    ),
    *(
        "      timeout: '{{ var.long }}'\n",
        "    each:\n      for_each: {a: [1, 2]}\n      sql: select '{{ each.a }}'\n",
    ),
)


def edited(text: str, chance: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    at = chance.randrange(len(lines))
    match chance.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines[at] = lines[at].replace("0", "7", 1)
        case 2:
            lines[at] = lines[at][1:]
        case _:
            lines.insert(at, chance.choice(EDITS))
    return "".join(lines)


def placed(node: Node | None, documents: Documents) -> object:
    """The node with all of its places in the text, as plain values."""
    if node is None:
        return None
    span, path = documents.place(node.span), node.path
    match node:
        case MapNode():
            spans = {key: documents.place(at) for key, at in node.key_spans.items()}
            return span, path, spans, {key: placed(one, documents) for key, one in node.entries.items()}
        case ListNode():
            return span, path, [placed(one, documents) for one in node.items]
        case _:
            return span, path, node.value


def shape(graph: TaskGraph | None) -> object:
    if graph is None:
        return None
    return [
        (node.name, node.body, node.after, node.timeout, node.comment, node.run_on)
        for node in graph.all_tasks
    ]


def told(reading: Reading) -> object:
    return set(reading.diagnostics), shape(reading.graph)


@pytest.mark.parametrize("seed", range(6))
def test_every_edit_reads_as_the_whole_text_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(edited_documents, "MIN_LENGTH", 0)
    chance = random.Random(seed)
    root = tmp_path.resolve()
    (root / "sfml.yaml").write_text(PROJECT)
    entry = root / "many.yaml"
    good = text = text_of(12, chance)
    given: dict[Path, str] = {}
    kept = EditedDocuments(given)
    for step in range(24):
        if step % 6 == 0:
            text = good
        given[entry] = text if seed % 2 else text.replace("\n", "\r\n")
        whole = Documents(given)
        mine, findings = kept.checked(given[entry], "many.yaml", SCHEMA)
        its, expected = whole.checked(given[entry], "many.yaml", SCHEMA)
        assert placed(mine, kept) == placed(its, whole)
        places = {(one.code, one.message, one.span and kept.place(one.span)) for one in findings}
        assert places == {(one.code, one.message, one.span) for one in expected}
        for target in ("local", "other"):
            one = read(entry, target=target, cwd=root, documents=kept)
            other = read(entry, target=target, cwd=root, documents=whole)
            assert told(one) == told(other), given[entry]
        text = edited(text, chance)


def test_only_what_has_changed_is_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(edited_documents, "MIN_LENGTH", 0)
    text = text_of(50, random.Random(1))
    documents = EditedDocuments({})
    first, _ = documents.checked(text, "many.yaml", SCHEMA)
    second, _ = documents.checked(text.replace("select 20\n", "select 21\n\n\n"), "many.yaml", SCHEMA)
    assert isinstance(first, MapNode) and isinstance(second, MapNode)

    def tasks(node: MapNode) -> dict[str, Node]:
        graph = node.entries["graph"]
        assert isinstance(graph, MapNode)
        every = graph.entries["tasks"]
        assert isinstance(every, MapNode)
        return every.entries

    changed = [name for name, node in tasks(second).items() if node is not tasks(first)[name]]
    assert changed == ["task_20"]
    lines = text.replace("select 20\n", "select 21\n\n\n").splitlines()
    at = documents.place(tasks(second)["task_49"].span).start
    assert lines[at.line - 1].strip() == "sql: select 49"


def test_a_value_of_git_is_asked_for_each_time(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "sfml.yaml").write_text(PROJECT)
    entry = root / "many.yaml"
    entry.write_text(
        "version: 1\npipeline: many\ngraph:\n  tasks:\n    a: {sql: select 1, comment: '{{ git.commit }}'}\n"
    )
    documents = EditedDocuments({})
    comments = []
    for commit in ("one", "two"):
        reading = read(entry, target="local", documents=documents, git={"commit": commit})
        assert reading.graph is not None
        comments.append(reading.graph.tasks[0].comment)
    assert comments == ["one", "two"]
