"""Writes docs/steps.md from the docstrings of `steps/sfml_steps`."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from sfml.catalog.data_files import MAX_BYTES
from sfml_steps import (
    Context,
    Run,
    StepError,
    cleanup,
    features,
    files,
    gate,
    logs,
    models,
    notification,
    registry,
    step,
)
from sfml_steps.results import LIMIT, as_read

MEMBERS = (Context.session, Context.config, Context.result, Context.write_file, Context.read_file)
GENERAL_STEPS = (
    (gate.check_metric, ()),
    (gate.compare_with_champion, ()),
    (features.refresh_feature_views, (features.Refreshed,)),
    (features.make_training_set, (features.TrainingSet,)),
    (registry.promote_model, (registry.Promotion,)),
    (cleanup.remove_run_artifacts, (cleanup.Cleanup,)),
    (notification.send_notification, ()),
)
_EXAMPLE = re.compile(r"(?:^(?:>>>|\.\.\.).*\n?)(?:^.+\n?)*", re.MULTILINE)


def steps_page(note: str) -> str:
    """The page; `note` says that it is generated."""
    return "\n\n".join(["# Steps", note, *_introduction(), *_interface(), *_general(), *_travels()]) + "\n"


def _introduction() -> Iterator[str]:
    yield (
        "A step is a Python function that a task of a spec names: `step: churn.training.train_model`. It runs as a"
        " stored procedure on a warehouse, or on a compute pool as an ML Job, and the same function runs in a unit"
        " test. Every example here is tried. [Testing](testing.md) tells how steps are tested,"
        " [the spec](spec.md#a-task) what a task says of them."
    )
    yield "Step code runs where Python may be as old as 3.10, and imports nothing of `sfml`."


def _interface() -> Iterator[str]:
    yield "## `step`"
    yield _prose(step)
    yield "## `Context`"
    yield _prose(Context)
    for member in MEMBERS:
        yield f"### `ctx.{_name(member)}`"
        yield _prose(member)
    yield "### `Context.for_test`"
    yield _signature(Context.for_test)
    yield _prose(Context.for_test)
    yield "### `ctx.run`"
    yield _prose(Run)
    yield _fields(Run)
    yield "## `StepError`"
    yield _prose(StepError)
    yield "## Results"
    yield _RESULTS
    yield "A unit test that calls a step gets what the step returned. `sfml_steps.results.as_read` reads it as a task:"
    yield _signature(as_read)
    yield _prose(as_read)
    yield "## Files"
    yield _prose(files)
    yield "## Logging"
    yield _prose(logs)
    yield "## Limits"
    yield _LIMITS


def _general() -> Iterator[str]:
    yield "## General steps"
    yield (
        "These come with `sfml`; a task names them as any other step. A task's `with:` gives their arguments by name."
    )
    for function, results in GENERAL_STEPS:
        yield f"### `{function.__module__}.{function.__name__}`"
        yield _signature(function)
        yield _prose(function)
        for result in results:
            yield f"It returns a `{result.__name__}`. {_prose(result)}"
            yield _fields(result)
    yield "## `Candidate`"
    yield _prose(registry.Candidate)
    yield _prose(registry.CandidateFiles)
    yield _fields(registry.Candidate)
    yield "### Formats"
    yield "\n".join(
        ["| `format` | the file | is read by |", "|---|---|---|"]
        + [
            f"| `{name}` | {_cell(_prose(load)).removeprefix('Load ')} | {_safety(name)} |"
            for name, load in models.LOADERS.items()
        ]
    )
    yield _FORMATS
    yield "### `sfml_steps.models.pickled`"
    yield _signature(models.pickled)
    yield _prose(models.pickled)


def _travels() -> Iterator[str]:
    yield "## What travels with a step"
    yield _TRAVELS


def _safety(name: str) -> str:
    return "unpickling, from the pipeline's stage alone" if name in models.PICKLED else "its library"


def _name(member: Any) -> str:
    function: Any = member.fget if isinstance(member, property) else member
    return str(function.__name__)


def _prose(thing: Any) -> str:
    """A docstring, its examples in blocks of code."""
    text = inspect.getdoc(thing)
    assert text, f"{thing} has no docstring"
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", text).strip()


def _signature(function: Callable[..., Any]) -> str:
    """The function's head as it is written, in a block of code."""
    source = textwrap.dedent(inspect.getsource(function))
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef)
    head = source.splitlines()[definition.lineno - 1 : definition.body[0].lineno - 1]
    shown = [line for line in head if line.strip() != "cls,"]
    return "\n".join(["```python", *shown[:-1], f"{shown[-1]} ...", "```"])


def _fields(record: Any) -> str:
    """The fields of a mapping or a dataclass: name, type, and whether it may be missing."""
    required = getattr(record, "__required_keys__", record.__annotations__)
    rows = [
        f"| `{name}` | `{_cell(str(getattr(kind, '__forward_arg__', kind)))}` |"
        + (" |" if name in required else " may be missing |")
        for name, kind in record.__annotations__.items()
    ]
    return "\n".join(["| field | type | |", "|---|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


_RESULTS = f"""What a step returns is its task's return value in Snowflake, as compact JSON of at most {LIMIT:,} bytes.
The same code writes it on a warehouse, in a job, on an account and on the local Snowflake:

| returned | is read by later tasks as |
|---|---|
| None, booleans, text, whole numbers, finite floats | the same |
| a `Decimal`, as `collect()` gives for a NUMBER with a scale | a number: the nearest float; without a scale, exact |
| dates and times, NumPy's `datetime64`, pandas' `Timestamp` | text as of `isoformat()` |
| one NumPy number, boolean or text | the value that its `item()` returns |
| lists and tuples | a list |
| mappings with keys of text, dataclasses, a `NamedTuple`, a `Row` of Snowpark | a mapping |
| enumerations, also as keys | their values |
| a `UUID` | its text |

The return value itself has all digits of a decimal. An aware time keeps its offset, not the name of its zone.

Other values fail the task with a sentence that names the place and says what to return instead, such as
`its result.metrics.auc is nan, which JSON cannot carry: return None or leave it out`: NaN and infinities, missing
values of pandas (`NaT`, `NA`), durations, bytes, sets, arrays, series and frames, keys that are no text, and what
holds itself. Arrays, series and frames belong into a table or a file.

Later tasks read it by `${{task.field}}`, checked against the step's annotation when the spec is validated.
Annotate with a `TypedDict` or a dataclass to have the fields checked too. A key `summary` of text is what
`sfml run` and `sfml status` show beside the task.

A step of a task with `outcomes` returns one of them, as text; anything else fails the task."""

_LIMITS = f"""| what | at most | set by |
|---|---|---|
| a result | {LIMIT:,} bytes of JSON | Snowflake, for a task's return value |
| a file of `ctx.write_file` | what fits into memory | it is read and written whole |
| the subject of a notification | {notification.SUBJECT_LIMIT} characters | Snowflake |
| the name of a model's version | {registry.VERSION_LENGTH} characters of the run's id | `promote_model` |
| the files of one step or job | {MAX_BYTES // 1_000_000} MB | `sfml`, which holds them in memory |"""

_FORMATS = """Reading a pickle runs code. The pipeline's stage holds the code of its tasks, so whoever can write there
runs code in them anyway; from other places pickles are refused. LightGBM's scikit-learn classes, PyTorch
modules, Prophet and [custom
models](https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/bring-your-own-model-types)
are promoted as `pickle`. Versions run on a warehouse; packages of `pip` come from its [artifact
repository](https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-packages), to which the role
needs access."""

_TRAVELS = """The archive of a step holds its module, every module of the project's step folders that it loads, and the
files that it reads. Whatever can be read from the code is found: `import` statements anywhere in it,
`importlib.import_module("churn.models")` and its kin with a fixed name, and resources that are read by a fixed name
or from a fixed folder. A module or file that is not there is an error (SF342, SF344), unless the code catches that.

A step is imported from an archive, which is no folder: `Path(__file__).parent` and the working folder lead to no
file (SF347). So files beside step code are read as resources of their package, which has an `__init__.py`. That
works in a procedure, in a job and in a test:

```python
from importlib import resources

query = resources.files("churn").joinpath("queries/customers.sql").read_text(encoding="utf-8")
```

Within the package, `resources.files(__package__)` says the same. For a library that wants a path,
`resources.as_file` lends one: `with resources.as_file(resources.files("churn") / "prices.csv") as path:`.

What is named only when the code runs, such as `f"churn.models.{kind}"` or a file of the package's own folder,
travels when the package lists it (SF343, SF345), with a literal list of patterns in its `__init__.py`. Each has to
match something (SF346); hidden files are matched only by a pattern that names them:

```python
# steps/churn/__init__.py
__data_files__ = ["queries/*.sql", "prices.json", "models/*.py"]
```

The folder of a `job:` travels whole and is a folder where it runs, so there `Path(__file__).parent / "prices.csv"`
is right. Links are followed inside the project; hidden files of the folder stay behind (SF340, SF341).

Packages come from the task: `packages` for a step on a warehouse, `pip` for one on a compute pool. A
`job:`, which runs a folder of scripts, may have a `requirements.txt` in that folder: its container installs
it before the script starts. A task's `pip` takes its place, so name packages in one of the two."""
