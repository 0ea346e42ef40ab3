"""What step code loads and reads: the findings, and whether the code fails where only its archive is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sfml.catalog import StepCatalog
from sfml.frontend.reading import read
from sfml.lower.archives import archive_of

PROJECT = "version: 1\nsteps: [steps]\ntargets:\n  local: {kind: local, default: true}\n"
HEAD = "version: 1\npipeline: p\ngraph:\n  tasks:\n"
STEP = HEAD + "    t: {step: s.m.go, run_on: {warehouse: W}, timeout: 1h}\n"
TOP = "from sfml_steps import step\n"
GO = "@step\ndef go(ctx): "

Files = dict[str, str]


def project(root: Path, files: Files, spec: str = STEP) -> Path:
    """A project of these files, those of steps below `s/`; `m.py` is the step's module."""
    for name, text in {"sfml.yaml": PROJECT, "p.yaml": spec, **files}.items():
        path = root / (name if name.partition("/")[0] in ("sfml.yaml", "p.yaml", "jobs") else f"steps/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root / "p.yaml"


def findings(root: Path, files: Files, spec: str = STEP) -> list[str]:
    """The findings of what travels: `SF342 error 2` for one in line 2."""
    found = read(project(root, files, spec), cwd=root).diagnostics
    return [
        f"{one.code} {one.severity.value} {one.span.start.line if one.span else 0}"
        for one in found
        if one.code.startswith(("SF34", "SF370"))
    ]


def fails(root: Path) -> str:
    """The last line that the step prints when it fails with nothing but its archive; empty when it does not."""
    archive = archive_of("p", StepCatalog(root, ("steps",)).closure("s.m.go"))
    (root / "steps.zip").write_bytes(archive.content)
    (root / "elsewhere").mkdir(exist_ok=True)
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            "import sys; sys.path.insert(0, '../steps.zip'); import s.m; s.m.go(1)",
        ],
        cwd=root / "elsewhere",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def module(text: str, **more: str) -> Files:
    """`s/m.py` with a step `go` that does what the last line says, beside other files; RES imports resources."""
    lines = text.replace("RES", "from importlib import resources").splitlines()
    body = "\n".join(lines[:-1])
    return {
        "s/__init__.py": "",
        "s/m.py": f"{TOP}{body}\n{GO}{lines[-1]}\n",
        "s/plug.py": "D = 1\ndef f(): ...\n",
        "s/sub/__init__.py": "",
        "s/sub/deep.py": "E = 1\n",
        "s/q.sql": "select 1",
        "s/queries/a.sql": "select 2",
        "s/bare/b.sql": "select 3",
        "data/x.csv": "a,b",
        **{name.replace("__", "/", 1).replace("_py", ".py"): content for name, content in more.items()},
    }


FINE = {
    "modules": "import s.plug, s.sub.deep\nfrom .plug import D\nfrom .sub import deep\nfrom s import sub\nreturn D",
    "function": "def f():\n    from s.plug import D\n    return D\nreturn f()",
    "caught": "try:\n    from .no import X\nexcept ImportError:\n    X = 1\nreturn X",
    "caught_in_a_tuple": "try:\n    import s.no\nexcept (ValueError, ModuleNotFoundError):\n    pass\nreturn 1",
    "caught_barely": "try:\n    import s.no\nexcept:\n    pass\nreturn 1",
    "suppressed": "import contextlib\nwith contextlib.suppress(ImportError):\n    import s.no\nreturn 1",
    "types_only": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from s.no import X\nreturn 1",
    "types_only_else": (
        "import typing as t\nif t.TYPE_CHECKING:\n    import s.no\nelse:\n    import s.plug\nreturn s.plug.D"
    ),
    "as_main": "if __name__ == '__main__':\n    import s.no\nreturn 1",
    "not_called": "def unused():\n    import s.no\nreturn 1",
    "by_name": "import importlib\nreturn importlib.import_module('s.plug').D",
    "by_name_aliased": "from importlib import import_module as im\nreturn im('s.plug').D",
    "by_name_relative": "import importlib\nreturn importlib.import_module('.plug', __package__).D",
    "by_name_relative_key": "import importlib\nreturn importlib.import_module('.plug', package='s').D",
    "by_name_constant": "import importlib\nNAME = 's.plug'\nreturn importlib.import_module(NAME).D",
    "by_name_loop": "import importlib\nfor n in ('s.plug', 's.sub.deep'):\n    importlib.import_module(n)\nreturn 1",
    "by_name_mapping": "import importlib\nP = {'a': 's.plug'}\nreturn importlib.import_module(P['a']).D",
    "by_name_joined": "import importlib\nreturn importlib.import_module(f'{__package__}.plug').D",
    "by_name_added": "import importlib\nreturn importlib.import_module(__package__ + '.plug').D",
    "dunder_import": "return __import__('s.plug').plug.D",
    "run_module": "import runpy\nreturn runpy.run_module('s.plug')",
    "resolve_name": "import pkgutil\nreturn pkgutil.resolve_name('s.plug:D')",
    "not_found_is_fine": "import importlib.util\nreturn importlib.util.find_spec('s.no')",
    "star": "from .plug import *\nreturn D",
    "names_of_every_module": "from .plug import __name__ as n\nreturn n",
    "resources": "RES\nreturn resources.files('s').joinpath('q.sql').read_text()",
    "resources_slash": (
        "import importlib.resources as r\nreturn (r.files(__package__) / 'queries' / 'a.sql').read_text()"
    ),
    "resources_named": (
        "from importlib.resources import files\nHERE = files(__package__)\n"
        "return (HERE / 'q.sql').read_bytes()"
    ),
    "resources_module": "import s\nRES\nreturn (resources.files(s) / 'q.sql').read_text()",
    "resources_folder": (
        "RES\nn = 'a'\nfor n in [str(n)]: pass\n"
        "return (resources.files('s') / 'queries' / f'{n}.sql').read_text()"
    ),
    "resources_listed": "RES\nreturn [f.read_text() for f in (resources.files('s') / 'queries').iterdir()][0]",
    "resources_old": "RES\nreturn resources.read_text('s', 'q.sql')",
    "as_file": "RES\nwith resources.as_file(resources.files('s') / 'q.sql') as p:\n    T = open(p).read()\nreturn T",
    "get_data": "import pkgutil\nreturn pkgutil.get_data('s', 'q.sql').decode()",
    "get_data_name": "import pkgutil\nreturn pkgutil.get_data(__name__, 'q.sql').decode()",
    "get_data_below": "import pkgutil\nreturn pkgutil.get_data(__package__, 'queries/a.sql').decode()",
    "own_name": "import os\nreturn os.path.basename(__file__)",
    "path_of_search": "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent.parent))\nreturn 1",
    "falls_back": (
        "import pathlib\ntry:\n    T = (pathlib.Path(__file__).parent / 'q.sql').read_text()\n"
        "except OSError:\n    T = ''\nreturn T"
    ),
    "through_the_package": "import s\nfrom s.plug import f\nreturn s.plug.D",
    "through_a_package_below": "import s.sub.deep\nimport s\nreturn s.sub.deep.E",
    "loaded_by_name": "import importlib, s\nimportlib.import_module('s.plug')\nreturn s.plug.D",
    "another_thing_of_this_name": "import s\nclass C: plug = 1\ndef f(s): return s.plug\nreturn f(C)",
    "elsewhere": "import json, os.path\nfrom xml.etree import ElementTree\nreturn 1",
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_what_runs_from_its_archive_has_no_finding(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, module(text)) == []
    assert fails(tmp_path) == ""


BAD = {
    "module": ("import s.no\nreturn 1", "SF342 error 2"),
    "package": ("import s.no.deeper\nreturn 1", "SF342 error 2"),
    "relative": ("from . import no\nreturn 1", "SF342 error 2"),
    "relative_module": ("from .no import X\nreturn 1", "SF342 error 2"),
    "name": ("from .plug import X\nreturn 1", "SF342 error 2"),
    "name_of_the_package": ("from s import X\nreturn 1", "SF342 error 2"),
    "below_a_module": ("import s.plug.D\nreturn 1", "SF342 error 2"),
    "beyond": ("from ... import plug\nreturn 1", "SF342 error 2"),
    "star": ("from .no import *\nreturn 1", "SF342 error 2"),
    "of_the_runtime": ("from sfml_steps import Contxt\nreturn 1", "SF342 error 2"),
    "through_the_package": ("import s\nreturn s.plug.D", "SF370 error 4"),
    "through_another_name": ("from s import sub as x\nreturn x.deep.E", "SF370 error 4"),
    "through_a_package_below": ("import s.sub\ndef f(): return s.sub.deep.E\nreturn f()", "SF370 error 3"),
    "found_as_a_spec": (
        "import importlib.util, s\nimportlib.util.find_spec('s.plug')\nreturn s.plug.D",
        "SF370 error 5",
    ),
    "in_the_step": ("import s.no", "SF342 error 3"),
    "in_what_it_calls": ("def f():\n    import s.no\nreturn f()", "SF342 error 3"),
    "in_a_method": ("class C:\n    def __init__(self):\n        import s.no\nreturn C()", "SF342 error 4"),
    "told_in_other_words": (
        "try:\n    import s.no\nexcept ImportError as e:\n    raise ValueError() from e\nreturn 1",
        "SF342 error 3",
    ),
    "another_error_is_caught": (
        "try:\n    import s.no\nexcept KeyError:\n    pass\nreturn 1",
        "SF342 error 3",
    ),
    "under_a_condition": ("import sys\nif sys.path:\n    import s.no\nreturn 1", "SF342 warning 4"),
    "both_ways": (
        "try:\n    import s.no\nexcept ImportError:\n    import s.nor\nreturn 1",
        "SF342 warning 5",
    ),
    "by_name": ("import importlib\nreturn importlib.import_module('s.no')", "SF342 error 4"),
    "by_name_relative": (
        "import importlib\nreturn importlib.import_module('.no', __package__)",
        "SF342 error 4",
    ),
    "dunder_import": ("return __import__('s.no')", "SF342 error 4"),
    "computed_of_no_package": (
        "import importlib\ndef f(n): return importlib.import_module('s.no.' + n)\nreturn f('deep')",
        "SF342 error 3",
    ),
    "computed": (
        "import importlib\ndef f(n): return importlib.import_module(f's.sub.{n}')\nreturn f('deep')",
        "SF343 warning 3",
    ),
    "computed_whole": (
        "import importlib\ndef f(n): return importlib.import_module(n)\nreturn f('s.plug')",
        "SF343 warning 3",
    ),
    "resource": (
        "RES\nreturn (resources.files('s') / 'no.sql').read_text()",
        "SF344 error 4",
    ),
    "resource_of_a_module": (
        "RES\nreturn resources.files(__name__)",
        "SF344 error 4",
    ),
    "resource_of_no_package": (
        "RES\nreturn (resources.files('s.bare') / 'b.sql').read_text()",
        "SF344 error 4",
    ),
    "resource_of_nothing": ("RES\nreturn resources.files()", "SF344 error 4"),
    "resource_outside": (
        "RES\nreturn (resources.files('s') / '../data/x.csv').read_text()",
        "SF344 error 4",
    ),
    "old_resource": (
        "RES\nreturn resources.read_text('s', 'no.sql')",
        "SF344 error 4",
    ),
    "get_data": ("import pkgutil\nreturn pkgutil.get_data('s', 'no.sql')", "SF344 error 4"),
    "computed_resource": (
        "RES\ndef f(n): return (resources.files('s') / n).read_text()\nreturn f('q.sql')",
        "SF345 warning 3",
    ),
    "by_file": (
        "import pathlib\nreturn (pathlib.Path(__file__).parent / 'q.sql').read_text()",
        "SF347 error 4",
    ),
    "by_file_name": (
        "from pathlib import Path\nreturn Path(__file__).with_name('q.sql').read_text()",
        "SF347 error 4",
    ),
    "by_file_kept": (
        "from pathlib import Path\nHERE = Path(__file__).resolve().parent\nreturn (HERE / 'q.sql').read_text()",
        "SF347 error 5",
    ),
    "by_file_join": (
        "import os\nreturn open(os.path.join(os.path.dirname(__file__), 'q.sql')).read()",
        "SF347 error 4",
    ),
    "by_file_abspath": (
        (
            "from os.path import abspath, dirname, join\n"
            "return open(join(dirname(abspath(__file__)), 'queries', 'a.sql')).read()"
        ),
        "SF347 error 4",
    ),
    "by_file_added": ("import os\nreturn open(os.path.dirname(__file__) + '/q.sql').read()", "SF347 error 4"),
    "by_file_joined": (
        "import os\nreturn open(f'{os.path.dirname(__file__)}/q.sql').read()",
        "SF347 error 4",
    ),
    "by_file_of_the_project": (
        "from pathlib import Path\nreturn (Path(__file__).parents[1] / 'data' / 'x.csv').read_text()",
        "SF347 error 4",
    ),
    "by_file_computed": (
        "from pathlib import Path\ndef f(n): return (Path(__file__).parent / n).read_text()\nreturn f('q.sql')",
        "SF347 error 3",
    ),
    "by_file_listed": (
        "from pathlib import Path\nreturn list(Path(__file__).parent.iterdir())",
        "SF347 error 4",
    ),
    "by_working_folder": ("return open('steps/s/q.sql').read()", "SF347 error 4"),
    "by_working_folder_path": (
        "import pathlib\nreturn pathlib.Path('steps/data/x.csv').read_text()",
        "SF347 error 4",
    ),
}


OF_A_MODULE = {BAD[name][0] for name in ("resource_of_a_module", "resource_of_nothing")}


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_what_fails_in_its_archive_is_a_finding(tmp_path: Path, text: str, expected: str) -> None:
    lines = module(text)
    if text.startswith("import s.no") and "\n" not in text:
        lines["s/m.py"] = f"{TOP}@step\ndef go(ctx):\n    import s.no\n"
        expected = "SF342 error 4"
    assert findings(tmp_path, lines) == [expected]
    # Python 3.12 finds the package of a module by itself; procedures run on 3.11, too, so it is a finding on any.
    assert fails(tmp_path) or (sys.version_info >= (3, 12) and text in OF_A_MODULE)


LISTED = {
    "modules": (
        "import importlib\ndef f(n): return importlib.import_module(f's.sub.{n}').E\nreturn f('deep')",
        {"s__sub/__init___py": "__data_files__ = ['*.py']"},
    ),
    "modules_that_import": (
        "import importlib\ndef f(n): return importlib.import_module(f's.sub.{n}').E\nreturn f('deep')",
        {"s__sub/__init___py": "__data_files__ = ['deep.py']", "s__sub/deep_py": "from s.plug import D as E"},
    ),
    "modules_of_the_package": (
        "import importlib\ndef f(n): return importlib.import_module(n).D\nreturn f('s.plug')",
        {"s____init___py": "__data_files__ = ('plug.py',)"},
    ),
    "files": (
        "RES\ndef f(n): return (resources.files('s') / n).read_text()\nreturn f('q.sql')",
        {"s____init___py": "__data_files__: list[str] = ['*.sql']"},
    ),
    "offered": ("from s.sub import *\nreturn deep.E", {"s__sub/__init___py": "__all__ = ['deep']"}),
}


@pytest.mark.parametrize(("text", "more"), LISTED.values(), ids=LISTED)
def test_what_is_listed_travels(tmp_path: Path, text: str, more: Files) -> None:
    assert findings(tmp_path, module(text, **more)) == []
    assert fails(tmp_path) == ""


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        ("['q.sql', 'queries/*']", []),
        ("['no.sql']", ["SF346 error 1"]),
        ("['../data/x.csv']", ["SF346 error 1"]),
        ("['/etc/passwd']", ["SF346 error 1"]),
        ("['queries']", ["SF346 error 1"]),
        ("['queries/**']", ["SF346 error 1"]),
        ("['**x', '[']", ["SF346 error 1", "SF346 error 1"]),
        ("[name for name in ('q.sql',)]", ["SF346 error 1"]),
        ("'q.sql'", ["SF346 error 1"]),
        ("['q.sql', 1]", ["SF346 error 1"]),
        ("[]", []),
    ],
)
def test_lists_of_data_files(tmp_path: Path, listing: str, expected: list[str]) -> None:
    found = findings(tmp_path, module("return 1", s____init___py=f"__data_files__ = {listing}\n"))
    if listing.endswith("**']") and sys.version_info >= (3, 13):
        expected = []  # since then `**` matches files
    assert found == expected


def test_hidden_and_compiled_files_stay_behind_a_pattern(tmp_path: Path) -> None:
    files = module("return 1", s____init___py="__data_files__ = ['*', '.shown', '**/*.pyc']\n")
    files |= {"s/.env": "SECRET=1", "s/.shown": "", "s/__pycache__/q.pyc": "", "s/q.json": "{}"}
    project(tmp_path, files)
    paths = {file.path for file in StepCatalog(tmp_path, ("steps",)).closure("s.m.go")}
    assert {"s/.shown", "s/q.json", "s/q.sql"} <= paths
    assert not {"s/.env", "s/__pycache__/q.pyc"} & paths


JOB = HEAD + "    t: {job: {folder: jobs/j, entrypoint: main.py}, run_on: {pool: P}, timeout: 1h}\n"
JOBS = {
    "fine": (
        "import helpers, lib.a\nfrom lib import b\nimport pathlib\nprint(pathlib.Path(__file__).parent / 'x')",
        [],
    ),
    "module": ("import lib.no\n", ["SF342 error 1"]),
    "name": ("from helpers import no\n", ["SF342 error 1"]),
    "relative": ("from . import helpers\n", ["SF342 error 1"]),
    "as_main": ("if __name__ == '__main__':\n    from lib import no\n", ["SF342 error 2"]),
    "called": ("def f():\n    import lib.no\nif __name__ == '__main__':\n    f()\n", ["SF342 error 2"]),
    "not_called": ("def f():\n    import lib.no\n", []),
    "in_a_module": ("import lib.c\n", ["SF342 error 1"]),
    "elsewhere": ("import torch, sklearn.svm\n", []),
}


@pytest.mark.parametrize(("text", "expected"), JOBS.values(), ids=JOBS)
def test_imports_of_a_job(tmp_path: Path, text: str, expected: list[str]) -> None:
    files = {
        "jobs/j/main.py": text,
        "jobs/j/helpers.py": "",
        "jobs/j/lib/a.py": "",
        "jobs/j/lib/b.py": "",
        "jobs/j/lib/c.py": "from .no import X",
        "s/__init__.py": "",
    }
    assert findings(tmp_path, files, JOB) == expected


def test_imports_of_a_job_from_other_folders(tmp_path: Path) -> None:
    files = {"jobs/j/main.py": "import shared.tables, one\nimport shared.no\n"}
    files |= {"jobs/shared/tables.py": "", "jobs/one.py": "", "s/__init__.py": ""}
    spec = JOB.replace("timeout", "imports: [jobs/shared, jobs/one.py], timeout")
    assert findings(tmp_path, files, spec) == ["SF342 error 2"]


def test_a_mistake_that_two_steps_share_is_told_once(tmp_path: Path) -> None:
    files = module("import s.no\nreturn 1")
    files["s/m.py"] += f"{GO.replace('go', 'other')}return 2\n"
    spec = STEP + "    u: {step: s.m.other, after: t, run_on: {warehouse: W}, timeout: 1h}\n"
    assert findings(tmp_path, files, spec) == ["SF342 error 2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import lightgbm\nreturn 1", True),
        ("def f():\n    import lightgbm\nreturn f()", True),
        ("import importlib\nreturn importlib.import_module('lightgbm')", True),
        ("try:\n    import lightgbm\nfinally:\n    pass\nreturn 1", True),
        ("def f():\n    import lightgbm\nreturn 1", False),
        ("try:\n    import lightgbm\nexcept ImportError:\n    pass\nreturn 1", False),
        ("try:\n    import json\nexcept ImportError:\n    import lightgbm\nreturn 1", False),
        ("import sys\nif sys.version_info < (3, 11):\n    import lightgbm\nreturn 1", False),
        ("import typing\nif typing.TYPE_CHECKING:\n    import lightgbm\nreturn 1", False),
    ],
)
def test_packages_that_are_imported_where_the_step_runs(tmp_path: Path, text: str, expected: bool) -> None:
    found = read(project(tmp_path, module(text)), cwd=tmp_path).diagnostics
    assert any(one.code == "SF326" for one in found) is expected
