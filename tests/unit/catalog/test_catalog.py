"""Step functions read from source, never imported."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from sfml.catalog import NotFound, StepAbsence, StepCatalog, StepFunction
from sfml.catalog.shapes import ANYTHING, NOTHING, AnyOf, ListOf, Literals, MapOf, Primitive, Record

STR, INT, FLOAT = Primitive("str"), Primitive("int"), Primitive("float")


def write(root: Path, files: dict[str, str]) -> StepCatalog:
    for name, text in files.items():
        path = root / "steps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return StepCatalog(root, ("steps",))


TRAIN = '''
    """Training."""
    import os
    raise SystemExit("this module must never be imported")
    from dataclasses import dataclass
    from typing import TYPE_CHECKING, Annotated, Literal, NotRequired, Optional, TypedDict
    from sfml_steps import Context, step
    from .types import Metrics as M
    from mine import helpers
    if TYPE_CHECKING:
        from mine import only_types

    Verdict = Literal["good", "bad"]

    @dataclass
    class Fit:
        path: str
        metrics: M
        note: str = ""

    class Extra(TypedDict, total=False):
        a: int

    @step
    def fit(ctx: Context, features: list[str], depth: int = 6, /, *, mode: Literal["fast", 1] = "fast",
            rest: "Optional[Extra]" = None, any_: Annotated[float, "x"] | None = None) -> Fit:
        """Fit it."""

    @step
    def gate(ctx, value: float) -> Verdict: ...

    @step
    def nothing(ctx) -> None: ...

    @step
    def anything(ctx, **kwargs): ...

    def plain(ctx) -> dict[str, float]: ...
'''


@pytest.fixture
def catalog(tmp_path: Path) -> StepCatalog:
    return write(
        tmp_path,
        {
            "mine/__init__.py": """
                __data_files__ = ["sql/*.sql", "../../secret", "/etc/passwd"]
                from .train import gate
                """,
            "mine/train.py": TRAIN,
            "mine/types.py": "from typing import TypedDict\nclass Metrics(TypedDict):\n    r2: float\n",
            "mine/helpers.py": "def f():\n    import mine.deep.down\n",
            "mine/deep/down.py": "",
            "mine/only_types.py": "",
            "mine/unrelated.py": "",
            "mine/sql/a.sql": "select 1",
            "mine/sql/b.txt": "",
            "mine/broken.py": "def f(:\n    pass\n",
            "broken_below.py": "import mine.broken\nfrom sfml_steps import step\n@step\ndef f(ctx): ...\n",
        },
    )


def step(catalog: StepCatalog, name: str) -> StepFunction:
    found = catalog.find(name)
    assert found is not None
    return found


def test_a_function_as_its_source_declares_it(catalog: StepCatalog) -> None:
    fit = step(catalog, "mine.train.fit")
    assert (fit.docstring, fit.is_step, fit.takes_context, fit.takes_any) == ("Fit it.", True, True, False)
    shapes = {parameter.name: parameter.shape for parameter in fit.parameters}
    assert shapes == {
        "features": ListOf(STR),
        "depth": INT,
        "mode": Literals(("fast", 1)),
        "rest": AnyOf((Record("Extra", {"a": INT}, frozenset({"a"}), frozenset({"a"})), NOTHING)),
        "any_": AnyOf((FLOAT, NOTHING)),
    }
    assert [parameter.name for parameter in fit.parameters if parameter.is_required] == ["features"]
    fields = {"path": STR, "metrics": Record("Metrics", {"r2": FLOAT}), "note": STR}
    assert fit.returns == Record("Fit", fields, frozenset({"note"}))
    assert fit.span.file == "steps/mine/train.py"
    assert "mine" not in sys.modules


def test_outcomes_through_an_alias_and_a_re_export(catalog: StepCatalog) -> None:
    gate = step(catalog, "mine.gate")
    assert gate.outcomes is not None
    assert [outcome.name for outcome in gate.outcomes] == ["good", "bad"]
    assert gate.outcomes[0].span.start.line == 13


def test_what_functions_return(catalog: StepCatalog) -> None:
    assert step(catalog, "mine.train.nothing").returns == NOTHING
    assert step(catalog, "mine.train.anything").returns is None
    assert step(catalog, "mine.train.anything").result == ANYTHING
    assert step(catalog, "mine.train.anything").takes_any
    assert step(catalog, "mine.train.plain").returns == MapOf(FLOAT)
    assert not step(catalog, "mine.train.plain").is_step


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("mine.nowhere.f", StepAbsence.MODULE),
        ("../../etc.f", StepAbsence.MODULE),
        ("f", StepAbsence.MODULE),
        ("mine.train.f", StepAbsence.FUNCTION),
        ("mine.train.Fit", StepAbsence.FUNCTION),
        ("mine.broken.f", StepAbsence.BROKEN),
    ],
)
def test_what_is_not_there(catalog: StepCatalog, name: str, reason: StepAbsence) -> None:
    found = catalog.look_up(name)
    assert isinstance(found, NotFound)
    assert found.reason is reason
    assert catalog.find(name) is None


def test_the_closure_holds_what_is_imported_and_the_runtime(catalog: StepCatalog) -> None:
    paths = [file.path for file in catalog.closure("mine.train.fit")]
    assert paths == sorted(paths)
    assert [path for path in paths if path.startswith("mine/")] == [
        "mine/__init__.py",
        "mine/deep/down.py",
        "mine/helpers.py",
        "mine/sql/a.sql",
        "mine/train.py",
        "mine/types.py",
    ]
    runtime = {path for path in paths if path.startswith("sfml_steps/")}
    assert {"sfml_steps/__init__.py", "sfml_steps/runtime.py", "sfml_steps/registry.py"} <= runtime
    assert not any("__pycache__" in path or path.startswith(("/", "..")) for path in paths)


def test_a_projects_own_runtime_comes_first(tmp_path: Path) -> None:
    catalog = write(tmp_path, {"sfml_steps/__init__.py": "# mine", "a.py": "def f(ctx): ..."})
    assert [file.path for file in catalog.closure("a.f")] == ["a.py", "sfml_steps/__init__.py"]


def test_errors_in_the_closure_have_positions(catalog: StepCatalog) -> None:
    errors = [module.error for module in catalog.modules_of("broken_below.f") if module.error]
    assert [error.code for error in errors] == ["SF303"]
    assert errors[0].span is not None
    assert (errors[0].span.file, errors[0].span.start.line) == ("steps/mine/broken.py", 1)


def test_columns_count_characters(tmp_path: Path) -> None:
    catalog = write(tmp_path, {"a.py": 'def f(ctx, é: str = "é", x: int = 1): ...\n'})
    parameter = step(catalog, "a.f").parameter("x")
    assert parameter is not None
    assert parameter.span.start.column == 26


@pytest.mark.parametrize("text", ["x" * 100 + "\0", "(" * 5000, "é = '\udcff'", "-" * 100_000 + "1"])
def test_hostile_source_is_a_finding(tmp_path: Path, text: str) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "a.py").write_bytes(text.encode("utf-8", errors="surrogateescape"))
    found = StepCatalog(tmp_path, ("steps",)).look_up("a.f")
    assert isinstance(found, NotFound)
    assert found.reason is StepAbsence.BROKEN
    assert found.error is not None


def test_links_are_followed_inside_the_project(tmp_path: Path) -> None:
    catalog = write(tmp_path, {"s/__init__.py": "__data_files__ = ['q.sql']", "s/m.py": "import s.common.a"})
    (tmp_path / "libs" / "common").mkdir(parents=True)
    (tmp_path / "libs" / "common" / "a.py").write_text("A = 1\n")
    (tmp_path / "libs" / "q.sql").write_text("select 1")
    (tmp_path / "steps" / "s" / "common").symlink_to("../../libs/common")
    (tmp_path / "steps" / "s" / "q.sql").symlink_to("../../libs/q.sql")
    content = {file.path: file.content for file in catalog.closure("s.m.go")}
    assert (content["s/common/a.py"], content["s/q.sql"]) == (b"A = 1\n", b"select 1")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("../../outside.py", "leads out of the project"),
        ("nowhere.py", "leads nowhere"),
        ("a.py", "leads nowhere"),
    ],
)
def test_a_link_that_cannot_travel_is_a_finding(tmp_path: Path, target: str, problem: str) -> None:
    (tmp_path / "outside.py").write_text("def f(ctx): ...\n")
    steps = tmp_path / "project" / "steps"
    steps.mkdir(parents=True)
    (steps / "a.py").symlink_to(target)
    found = StepCatalog(tmp_path / "project", ("steps",)).look_up("a.f")
    assert isinstance(found, NotFound)
    assert found.error is not None
    assert (found.error.code, found.error.message) == ("SF340", f"the link `steps/a.py` {problem}")


def test_total_speaks_of_the_fields_of_its_own_class(tmp_path: Path) -> None:
    found = write(
        tmp_path,
        {
            "mine/train.py": """
                from typing import Required, TypedDict
                from sfml_steps import step

                class Files(TypedDict):
                    model: int

                class Candidate(Files, total=False):
                    size: int
                    rows: Required[int]

                class Whole(Files, total=True):
                    size: int

                @step
                def part(ctx) -> Candidate: ...

                @step
                def whole(ctx) -> Whole: ...
                """
        },
    )
    part, whole = found.find("mine.train.part"), found.find("mine.train.whole")
    assert part is not None and whole is not None
    fields = {"model": INT, "size": INT, "rows": INT}
    assert part.returns == Record("Candidate", fields, frozenset({"size"}), frozenset({"size"}))
    assert whole.returns == Record("Whole", {"model": INT, "size": INT}, frozenset())
