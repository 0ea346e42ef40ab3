"""What the validator reads of a step in its text, and what the runtime makes of it when it is called, agree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sfml.frontend.reading import read

PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
IMPORT = "from sfml_steps import Context, step\n"
N = {"n": 1}

# Name → (source of the module, `with:` of the task); the step is always called `go`.
WORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": (f"{IMPORT}@step\ndef go(ctx: Context, n: int): return n", N),
    "decorator_renamed": ("from sfml_steps import step as st\n@st\ndef go(ctx, n): return n", N),
    "decorator_of_module": ("import sfml_steps\n@sfml_steps.step\ndef go(ctx, n): return n", N),
    "decorator_of_renamed_module": (
        "import sfml_steps as ss\n@ss.step\ndef go(ctx: ss.Context, n): return n",
        N,
    ),
    "decorator_of_its_module": (
        "from sfml_steps.registration import step\n@step\ndef go(ctx, n): return n",
        N,
    ),
    "decorator_starred": ("from sfml_steps import *\n@step\ndef go(ctx, n): return n", N),
    "decorator_assigned": (f"{IMPORT}task = step\n@task\ndef go(ctx, n): return n", N),
    "decorator_re_exported": ("from s.common import mine\n@mine\ndef go(ctx, n): return n", N),
    "decorator_of_ones_own": (
        f"{IMPORT}def mine(f):\n    return step(f)\n@mine\ndef go(ctx, n): return n",
        N,
    ),
    "decorator_of_ones_own_imported": ("from s.common import logged\n@logged\ndef go(ctx, n): return n", N),
    "context_renamed": (
        "from sfml_steps import Context as C, step\n@step\ndef go(ctx: C, n): return ctx.run.id",
        N,
    ),
    "called": (f"{IMPORT}@step()\ndef go(ctx, n): return n", N),
    "applied": (f"{IMPORT}def go(ctx, n): return n\nstep(go)", N),
    "applied_to_its_own_name": (f"{IMPORT}def go(ctx, n): return n\ngo = step(go)", N),
    "applied_to_another": (f"{IMPORT}def _go(ctx, n): return n\ngo = step(_go)", N),
    "second_name": (f"{IMPORT}@step\ndef _go(ctx, n): return n\ngo = _go", N),
    "lambda": (f"{IMPORT}go = step(lambda ctx, n: n)", N),
    "partial": (
        f"import functools\n{IMPORT}def f(a, ctx, n): return n\ngo = step(functools.partial(f, 0))",
        N,
    ),
    "wrapped_above": (
        f"import functools\n{IMPORT}def log(f):\n    @functools.wraps(f)\n    def inner(*a, **k): return f(*a, **k)\n"
        "    return inner\n@log\n@step\ndef go(ctx, n): return n",
        N,
    ),
    "wrapped_above_barely": (
        f"{IMPORT}def log(f):\n    def inner(*a, **k): return f(*a, **k)\n    return inner\n"
        "@log\n@step\ndef go(ctx, n): return n",
        N,
    ),
    "wrapped_below": (
        f"{IMPORT}def log(f):\n    def inner(*a, **k): return f(*a, **k)\n    return inner\n"
        "@step\n@log\ndef go(ctx, n): return n",
        N,
    ),
    "cached": (f"import functools\n{IMPORT}@functools.lru_cache\n@step\ndef go(ctx, n): return n", N),
    "in_an_if": (f"import sys\n{IMPORT}if sys.path:\n    @step\n    def go(ctx, n): return n", N),
    "in_a_try": (f"{IMPORT}try:\n    @step\n    def go(ctx, n): return n\nfinally:\n    pass", N),
    "in_a_with": (
        f"import contextlib\n{IMPORT}with contextlib.nullcontext():\n    @step\n    def go(ctx, n): return n",
        N,
    ),
    "of_a_class": (
        f"{IMPORT}class C:\n    @staticmethod\n    @step\n    def run(ctx, n): return n\ngo = C.run",
        N,
    ),
    "twice": (f"{IMPORT}@step\ndef go(ctx): return 0\n@step\ndef go(ctx, n): return n", N),
    "re_exported": ("from s.impl import train as go", N),
    "re_exported_relatively": ("from .impl import train as go", N),
    "re_exported_starred": ("from s.impl import *", {}),
    "re_exported_by_module": ("from s import impl\ngo = impl.train", N),
    "re_exported_by_assignment": ("import s.impl\ngo = s.impl.train", N),
    "positional_only": (f"{IMPORT}@step\ndef go(ctx, n, /): return n", N),
    "positional_only_default": (f"{IMPORT}@step\ndef go(ctx, m=1, n=2, /, *, k=3): return n", N),
    "keyword_only": (f"{IMPORT}@step\ndef go(ctx, *, n): return n", N),
    "any_keywords": (f"{IMPORT}@step\ndef go(ctx, **more): return more", {"n": 1, "m": 2}),
    "any_keyword_of_its_name": (f"{IMPORT}@step\ndef go(ctx, /, **more): return more", {"ctx": 1}),
    "any_positions": (f"{IMPORT}@step\ndef go(*args, n): return n", N),
    "default": (f"{IMPORT}@step\ndef go(ctx, n=1): return n", {}),
    "texts": (f'{IMPORT}@step\ndef go(ctx: "Context", n: "int"): return n', N),
    "later_texts": (
        f"from __future__ import annotations\n{IMPORT}@step\ndef go(ctx: Context, n: int): return n",
        N,
    ),
    "optional": (
        f"from typing import Optional\n{IMPORT}@step\ndef go(ctx: Optional[Context], n: int): return ctx.run.id",
        N,
    ),
    "for_type_checkers": (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\nfrom sfml_steps import step\n"
        "if TYPE_CHECKING:\n    from sfml_steps import Context\n@step\ndef go(ctx: Context, n: int): return n",
        N,
    ),
    "no_annotation": (f"{IMPORT}@step\ndef go(x, n): return n", N),
    "inner_yield": (
        f"{IMPORT}@step\ndef go(ctx, n):\n    def f():\n        yield n\n    return list(f())",
        N,
    ),
}
FAILS: dict[str, tuple[str, dict[str, Any]]] = {
    "undecorated": (f"{IMPORT}def go(ctx, n): return n", N),
    "another_step": ("def step(f): return f\n@step\ndef go(ctx, n): return n", N),
    "step_of_another_library": (
        "import contextlib as zenml\nstep = zenml.ExitStack\ndef go(ctx, n): return n",
        N,
    ),
    "another_attribute": (
        "class other:\n    step = staticmethod(lambda f: f)\n@other.step\ndef go(ctx, n): return n",
        N,
    ),
    "with_arguments": (f"{IMPORT}@step(name='x')\ndef go(ctx, n): return n", N),
    "async": (f"{IMPORT}@step\nasync def go(ctx, n): return n", N),
    "generator": (f"{IMPORT}@step\ndef go(ctx, n):\n    yield n", N),
    "nested": (f"{IMPORT}def f():\n    @step\n    def go(ctx, n): return n\nf()", N),
    "method": (f"{IMPORT}class C:\n    @staticmethod\n    @step\n    def go(ctx, n): return n", N),
    "redefined": (f"{IMPORT}@step\ndef go(ctx, n): return n\ndef go(ctx, n): return n", N),
    "redefined_as_a_value": (f"{IMPORT}@step\ndef go(ctx, n): return n\ngo = 1", N),
    "takes_nothing": (f"{IMPORT}@step\ndef go(): return 1", {}),
    "takes_keywords_alone": (f"{IMPORT}@step\ndef go(*, ctx): return 1", {}),
    "any_keywords_alone": (f"{IMPORT}@step\ndef go(**ctx): return 1", {}),
    "context_given": (f"{IMPORT}@step\ndef go(ctx, **more): return 1", {"ctx": 1}),
    "unknown": (f"{IMPORT}@step\ndef go(ctx): return 1", N),
    "any_positions_by_name": (f"{IMPORT}@step\ndef go(ctx, *args): return 1", {"args": 1}),
    "missing": (f"{IMPORT}@step\ndef go(ctx, n): return 1", {}),
    "missing_positional_only": (f"{IMPORT}@step\ndef go(ctx, n, /): return 1", {}),
    "missing_keyword_only": (f"{IMPORT}@step\ndef go(ctx, *, n): return 1", {}),
    "plain_re_exported": ("from s.impl import plain as go", N),
    "plain_lambda": ("go = lambda ctx, n: n", N),
    "a_class": (f"{IMPORT}class go:\n    def __init__(self, ctx, n): ...", N),
}
COMMON = """import functools
from sfml_steps import step as mine

def logged(function):
    @mine
    @functools.wraps(function)
    def inner(*args, **more):
        return function(*args, **more)
    return inner
"""
IMPL = f"""{IMPORT}@step
def train(ctx: Context, n: int): return n
@step
def go(ctx: Context): return 1
def plain(ctx, n): return n
"""
RUN = """import json, sys
sys.path[:0] = sys.argv[1:3]
from sfml_steps import Context
from sfml_steps.results import result_text
from sfml_steps.runtime import invoke, load
said = {}
for name, arguments in json.load(sys.stdin).items():
    try:
        result_text(invoke(load(f"s.{name}.go"), Context.for_test(), arguments, f"s.{name}.go"), name)
        said[name] = ""
    except BaseException as error:
        said[name] = f"{type(error).__name__}: {error}"
json.dump(said, sys.stdout)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("agreement")
    package = root / "steps" / "s"
    package.mkdir(parents=True)
    (root / "sfml.yaml").write_text(PROJECT)
    files = {name: text for name, (text, _) in {**WORKS, **FAILS}.items()}
    for name, text in {**files, "__init__": "", "common": COMMON, "impl": IMPL}.items():
        (package / f"{name}.py").write_text(f"{text}\n")
    return root


@pytest.fixture(scope="module")
def said(project: Path) -> dict[str, str]:
    """What the runtime says when it calls each step; empty where it is content."""
    calls = {name: arguments for name, (_, arguments) in {**WORKS, **FAILS}.items()}
    runtime = Path(__file__).resolve().parents[3] / "steps"
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(project / "steps"), str(runtime)],
        input=json.dumps(calls), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    said: dict[str, str] = json.loads(done.stdout)
    return said


def findings(project: Path, name: str, arguments: dict[str, Any]) -> list[str]:
    task = {"step": f"s.{name}.go", "with": arguments, "run_on": {"warehouse": "W"}, "timeout": "1h"}
    spec = {"version": 1, "pipeline": "p", "graph": {"tasks": {"t": task}}}
    return [
        f"{one.code}: {one.message}" for one in read(project / "p.yaml", text=json.dumps(spec)).diagnostics
    ]


@pytest.mark.parametrize("name", WORKS)
def test_what_works_has_no_finding(project: Path, said: dict[str, str], name: str) -> None:
    assert findings(project, name, WORKS[name][1]) == []
    assert said[name] == ""


@pytest.mark.parametrize("name", FAILS)
def test_what_fails_is_a_finding(project: Path, said: dict[str, str], name: str) -> None:
    assert [one[:5] for one in findings(project, name, FAILS[name][1])][:1] in (
        ["SF302"],
        ["SF306"],
        ["SF307"],
        ["SF348"],
    )
    assert said[name] != ""
