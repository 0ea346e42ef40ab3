"""The notebook of the examples runs from its first cell to its last, in a kernel, and prints what stands in it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import fork_server
import nbformat
import pytest
from conftest import ROOT
from here import Here
from nbclient import NotebookClient

from sfml.testing.local_snowflake import LocalSnowflake

NOTEBOOK = ROOT / "examples" / "notebooks" / "deploy_jobs.ipynb"
KERNEL = "from ipykernel.kernelapp import launch_new_instance; launch_new_instance()"
LONGEST = 20_000
"""Bytes of all outputs, of which the picture of the graph is most."""


def forked_kernel(words: list[str], **options: Any) -> fork_server.Popen:
    """A kernel of a process that has imported Snowflake's clients."""
    assert words[1:3] == ["-m", "ipykernel_launcher"]
    forked = f"{fork_server.FORKED}{fork_server.COMMAND}"
    return fork_server.Popen([words[0], "-X", forked, "-c", KERNEL, *words[3:]], **options)


def test_it_runs_and_prints_what_it_says(
    tmp_path: Path, local_snowflake: LocalSnowflake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_client.launcher.Popen", forked_kernel)
    project = Here(tmp_path)
    project.sfml("init", "--example", "notebooks")
    assert "0 errors, 0 warnings" in project.sfml("validate").out
    project.sfml("test")
    for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    said = [_told(cell) for cell in notebook.cells]
    with local_snowflake.serving(tmp_path):
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
        project.sfml("plan", "--detailed-exitcode")
    for cell in notebook.cells:
        cell.metadata.clear()
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", {}):
                output.data.pop("text/plain")  # a project names its folder there
    if os.environ.get("SFML_UPDATE_GOLDENS"):
        for key in [key for key in notebook.metadata if key not in ("kernelspec", "language_info")]:
            del notebook.metadata[key]
        notebook.metadata.language_info = {"name": "python"}
        nbformat.write(notebook, NOTEBOOK)
        return
    assert [_told(cell) for cell in notebook.cells] == said


def test_its_outputs_are_small_and_name_no_place_or_time() -> None:
    notebook: Any = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    text = json.dumps(outputs)
    assert 0 < len(text) < LONGEST
    assert "Traceback" not in text and "/tmp" not in text
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == list(
        range(1, 1 + sum(cell.cell_type == "code" for cell in notebook.cells))
    )


def _told(cell: Any) -> list[Any]:
    """What a cell printed and showed; a kernel may send what is printed in any number of pieces."""
    told: list[dict[str, Any]] = []
    for output in cell.get("outputs", ()):
        keys = ("text", "data", "name", "output_type", "ename")
        one = {key: value for key, value in output.items() if key in keys}
        if told and "name" in one and one.get("name") == told[-1].get("name"):
            told[-1]["text"] += one["text"]
        else:
            told.append(one)
    return told
