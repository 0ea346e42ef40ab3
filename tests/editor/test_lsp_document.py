"""The document as a whole: quick fixes, outline, folding, lenses with what they do, and colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from editor_projects import PIPELINE, Start, project
from language_client import LanguageClient

RICH = {
    "textDocument": {
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source"]}}},
    },
    "window": {"showDocument": {"support": True}},
}
MISSPELT = PIPELINE.replace("after: [load]", "after: [lod]").replace("outcomes:", "outcoms:")


def asked(path: Path, only: list[str] | None = None) -> dict[str, Any]:
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
    context = {"diagnostics": [], **({"only": only} if only else {})}
    return {"textDocument": {"uri": path.as_uri()}, "range": whole, "context": context}


def applied(text: str, edit: dict[str, Any], uri: str) -> str:
    lines = text.split("\n")
    for one in reversed(edit["changes"][uri]):
        begin, end = one["range"]["start"], one["range"]["end"]
        assert begin["line"] == end["line"]
        line = lines[begin["line"]]
        lines[begin["line"]] = line[: begin["character"]] + one["newText"] + line[end["character"] :]
    return "\n".join(lines)


def test_quick_fixes_are_those_of_the_command(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path, MISSPELT)
    editor = start(tmp_path, RICH)
    editor.open(entry)
    editor.until(entry, "SF110")
    [found] = editor.request("textDocument/codeAction", asked(entry))
    assert (found["title"], found["kind"]) == ("Replace `outcoms` by `outcomes`", "quickfix")
    assert found["diagnostics"][0]["code"] == "SF110"
    editor.type(entry, applied(editor.texts[entry], found["edit"], entry.as_uri()))
    editor.until(entry, "SF203")
    [found] = editor.request("textDocument/codeAction", asked(entry, ["source.fixAll"]))
    assert found["kind"] == "source.fixAll.sfml"
    editor.type(entry, applied(editor.texts[entry], found["edit"], entry.as_uri()))
    editor.until(entry)
    assert editor.texts[entry] == PIPELINE
    assert editor.request("textDocument/codeAction", asked(entry)) == []


def test_a_client_that_knows_only_commands_gets_fixes_too(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path, MISSPELT)
    editor = start(tmp_path)
    editor.open(entry)
    editor.until(entry, "SF110")
    [found] = editor.request("textDocument/codeAction", asked(entry))
    editor.request("workspace/executeCommand", {key: found[key] for key in ("command", "arguments")})
    editor.wait(lambda: any(one["method"] == "workspace/applyEdit" for one in editor.requests))
    [edit] = [one["params"]["edit"] for one in editor.requests if one["method"] == "workspace/applyEdit"]
    assert applied(MISSPELT, edit, entry.as_uri()) == MISSPELT.replace("outcoms", "outcomes")


def outline(symbols: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["name"]: outline(one.get("children") or []) for one in symbols}


def test_the_outline_is_a_tree_or_flat_and_survives_broken_text(tmp_path: Path, start: Start) -> None:
    entry = project(tmp_path)
    tree = {
        "version": {},
        "pipeline": {},
        "graph": {"tasks": {"load": {}, "check": {}, "keep": {}}},
    }
    for capabilities in (RICH, {}):
        editor = start(tmp_path, capabilities)
        editor.open(entry)
        document = {"textDocument": {"uri": entry.as_uri()}}
        found = editor.request("textDocument/documentSymbol", document)
        if capabilities:
            assert outline(found) == tree
            check = found[2]["children"][0]["children"][1]
            assert (check["range"]["start"]["line"], check["range"]["end"]["line"]) == (5, 9)
            editor.type(entry, PIPELINE.replace("{value: 1.5}", "{value: [1.5"))
            assert outline(editor.request("textDocument/documentSymbol", document)) == tree
        else:
            assert [(one["name"], one.get("containerName")) for one in found][3:5] == [
                ("tasks", "graph"),
                ("load", "tasks"),
            ]
    folds = editor.request("textDocument/foldingRange", document)
    assert {(one["startLine"], one["endLine"]) for one in folds} == {(2, 10), (3, 10), (5, 9)}
    editor.type(entry, "# a\n# b\n" + PIPELINE)
    folds = editor.request("textDocument/foldingRange", document)
    assert (0, 1, "comment") in {(one["startLine"], one["endLine"], one.get("kind")) for one in folds}


def lens(editor: LanguageClient, path: Path, title: str, number: int = 0) -> str:
    document = {"textDocument": {"uri": path.as_uri()}}
    found = editor.request("textDocument/codeLens", document)
    command = [one["command"] for one in found if one["command"]["title"] == title][number]
    result: str = editor.request("workspace/executeCommand", command)
    return result


def test_lenses_test_draw_and_cost(shop: Path, start: Start) -> None:
    editor = start(shop, RICH)
    entry, tests = shop / "specs" / "clv.yaml", shop / "specs" / "clv" / "tests.yaml"
    editor.open(entry)
    editor.open(tests)
    whole = lens(editor, entry, "run tests")
    assert "passed" in whole.splitlines()[-1]
    first = lens(editor, tests, "run test")
    assert first.splitlines()[-1].startswith("1 ")
    picture = Path(lens(editor, entry, "draw"))
    assert "train_model" in picture.read_text(encoding="utf-8")
    editor.wait(lambda: any(one["method"] == "window/showDocument" for one in editor.requests))
    assert "credits" in lens(editor, entry, "cost")
    editor.edit(entry, "version: 1\n", "version: 1\nwrong: 1\n")
    for title in ("run tests", "draw", "cost"):
        assert "SF110" in lens(editor, entry, title)


def test_expressions_and_references_have_colours(tmp_path: Path, start: Start) -> None:
    text = PIPELINE + 'variables: {x: 1}\n# {{ no }}\nseeds: {"é😀{{ var.x }}": "${load.rows} $${no}"}\n'
    entry = project(tmp_path, text)
    editor = start(tmp_path)
    editor.open(entry)
    legend = editor.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"]
    found = editor.request("textDocument/semanticTokens/full", {"textDocument": {"uri": entry.as_uri()}})
    lines = text.split("\n")
    line = column = 0
    shown = []
    for index in range(0, len(found["data"]), 5):
        down, right, length, kind, _ = found["data"][index : index + 5]
        line, column = line + down, right if down else column + right
        units = lines[line].encode("utf-16-le")
        shown.append((units[2 * column : 2 * (column + length)].decode("utf-16-le"), legend[kind]))
    assert shown == [
        ("{{", "macro"),
        ("var", "namespace"),
        ("x", "property"),
        ("}}", "macro"),
        ("${", "macro"),
        ("load", "function"),
        ("rows", "property"),
        ("}", "macro"),
    ]
