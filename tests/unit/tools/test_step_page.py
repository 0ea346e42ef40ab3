"""The page on steps: whole, and with examples that hold."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, get_args

import pytest

import sfml_steps
from sfml.catalog.catalog import StepCatalog
from sfml.catalog.shapes import Literals, Record
from sfml_steps import Context, Run
from sfml_steps.models import Format
from sfml_steps.registration import is_step
from sfml_steps.registry import Candidate

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "steps.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def general_steps() -> list[str]:
    """Every step that comes with the package, by the name that a spec gives it."""
    names = []
    for found in pkgutil.iter_modules(sfml_steps.__path__):
        module = importlib.import_module(f"sfml_steps.{found.name}")
        names += [
            f"{module.__name__}.{name}"
            for name, function in vars(module).items()
            if is_step(function) and function.__module__ == module.__name__
        ]
    return names


def test_every_general_step_and_each_of_its_arguments_is_explained() -> None:
    names = general_steps()
    assert len(names) >= 4
    for name in names:
        assert f"\n### `{name}`\n" in PAGE
        section = PAGE.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]
        module, _, function = name.rpartition(".")
        parameters = inspect.signature(getattr(importlib.import_module(module), function)).parameters
        explained = {word for line in section.splitlines() if line.startswith("- ") for word in ticked(line)}
        assert set(parameters) - {"ctx"} <= explained, name


def ticked(line: str) -> list[str]:
    return re.findall(r"`(\w+)`", line.partition(":")[0])


def test_every_public_name_is_on_the_page() -> None:
    for name in sfml_steps.__all__:
        assert f"`{name}`" in PAGE or name == "Run"
    for name in (name for name in vars(Context) if not name.startswith("_")):
        assert f"`ctx.{name}`" in PAGE or f"`Context.{name}`" in PAGE
    for name in (*Run.__annotations__, *Candidate.__annotations__):
        assert f"\n| `{name}` | " in PAGE
    for format in get_args(Format):
        assert f"\n| `{format}` | " in PAGE


def test_examples_give_what_they_show() -> None:
    examples = "\n".join(text for kind, text in BLOCKS if kind == "pycon")
    # The examples share their names, as a reader who types them one after the other has it.
    test = doctest.DocTestParser().get_doctest(examples, {}, "docs/steps.md", None, 0)
    assert len(test.examples) > 12
    results = doctest.DocTestRunner(verbose=False).run(test)
    assert results.failed == 0


def test_data_files_travel_and_are_read_from_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two blocks of the page, as the package's own and as a step of it."""
    read, listed = (text for kind, text in BLOCKS if kind == "python" and "def " not in text)
    package = tmp_path / "steps" / "churn"
    (package / "queries").mkdir(parents=True)
    (package / "__init__.py").write_text(listed)
    (package / "queries" / "customers.sql").write_text("SELECT 1")
    (package / "prices.json").write_text("{}")
    (package / "models").mkdir()
    (package / "models" / "linear.py").write_text("")
    (package / "notes.txt").write_text("stays behind")
    (package / "train.py").write_text(
        "from sfml_steps import step\n@step\ndef train(ctx): ...\n", encoding="utf-8"
    )
    files = StepCatalog(tmp_path, ("steps",)).closure("churn.train.train")
    names = {file.path for file in files if file.path.startswith("churn/")}
    assert names == {
        "churn/__init__.py", "churn/train.py", "churn/queries/customers.sql", "churn/prices.json",
        "churn/models/linear.py",
    }  # fmt: skip
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        for file in files:
            archive.writestr(file.path, file.content)
    monkeypatch.syspath_prepend(tmp_path / "code.zip")
    values: dict[str, Any] = {}
    try:
        exec(read, values)
        assert values["query"] == "SELECT 1"
    finally:
        sys.modules.pop("churn", None)


def test_the_validator_reads_of_a_candidate_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    step = StepCatalog(tmp_path, ("steps",)).find("sfml_steps.registry.promote_model")
    parameter = step.parameter("candidate") if step else None
    assert parameter is not None and isinstance(parameter.shape, Record)
    assert parameter.shape.fields.keys() == Candidate.__annotations__.keys()
    assert parameter.shape.optional == Candidate.__optional_keys__
    assert parameter.shape.fields["format"] == Literals(get_args(Format))
