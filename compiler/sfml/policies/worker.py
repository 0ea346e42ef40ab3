"""The process of Python policies: loads their modules, calls them, and sends what they find, line by line.

`process` starts it. It imports little, trusts nothing that a policy does, and says of each call whether it raised,
printed, or returned what is no finding.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import GeneratorType
from typing import Any

from sfml.policies.confinement import FILE_SIZE, confined
from sfml.policies.interface import REGISTERED, Finding, Pipeline, Plan
from sfml.policies.values import restored

MOST_FINDINGS = 200
"""How many findings of one call are taken."""
MOST_TEXT = 500
"""How long a message may be."""


def main() -> None:
    """Answer the one request on standard input."""
    out = os.dup(1)
    prints = _Prints()
    request = json.loads(sys.stdin.buffer.readline())
    answers = _Answers(out)
    sys.path[:0] = [request["folder"]]
    os.chdir(request["folder"])
    answers.send({"ready": confined()})
    loaded: dict[str, str | None] = {}
    pipelines = request["pipelines"]
    for policy in request["policies"]:
        answers.send({"begun": policy["code"]})
        module = policy["module"]
        if module not in loaded:
            loaded[module] = _problem(partial(importlib.import_module, module))
        answer: dict[str, Any] = {"problem": loaded[module], "findings": [], "printed": None}
        if answer["problem"] is None:
            answer |= _called(policy, pipelines)
        answers.send({"ended": policy["code"], **answer, "printed": prints.taken()})
    answers.send({"done": True})
    os._exit(0)  # threads and exit handlers of policies are not waited for


class _Answers:
    """Sends lines of JSON to the parent."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, answer: Mapping[str, Any]) -> None:
        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]


class _Prints:
    """A file in place of standard output and error, so that what policies print is known and bounded."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open until the process ends
        for descriptor in (1, 2):
            os.dup2(self._file.fileno(), descriptor)

    def taken(self) -> str | None:
        """The first line that was printed since the last time; None for nothing."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                continue
        # Standard output and error write at the position of this file.
        self._file.seek(0)
        text = (self._file.read(FILE_SIZE) or b"").decode(errors="replace").strip()
        self._file.seek(0)
        self._file.truncate()
        return text.splitlines()[0][:MOST_TEXT] if text else None


def _called(policy: Mapping[str, Any], pipelines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Call a policy for each pipeline that it is on in; `findings` are by the number of the pipeline."""
    functions = REGISTERED.get(policy["code"])
    if not functions:
        return {"problem": f"its module does not register `{policy['function']}` when it is loaded"}
    found: list[dict[str, Any]] = []

    def collect(given: Mapping[str, Any], place: int) -> None:
        for finding in _findings(policy, functions[-1], given, place):
            found.append(finding)

    for place in policy["pipelines"]:
        given = pipelines[place]
        problem = _problem(partial(collect, given, place))
        if problem is not None:
            target = given["pipeline"]["target"]["name"]
            return {
                "problem": f"{problem} (of `{given['pipeline']['name']}` in target `{target}`)",
                "findings": found,
            }
    return {"findings": found}


def _findings(
    policy: Mapping[str, Any], function: Callable[..., Any], given: Mapping[str, Any], place: int
) -> Iterator[dict[str, Any]]:
    pipeline = restored(Pipeline, given["pipeline"])
    plan = restored(Plan, given["plan"]) if given["plan"] is not None else None
    values = {"pipeline": pipeline, "plan": plan}
    for task in pipeline.tasks if "task" in policy["parameters"] else (None,):
        arguments = {name: values.get(name, task) for name in policy["parameters"]}
        for found in islice(_results(function(**arguments)), MOST_FINDINGS):
            yield _finding(found, task.name if task is not None else None, place)


def _results(result: Any) -> Iterable[Any]:
    if result is None:
        return ()
    if isinstance(result, Finding | str):
        return (result,)
    if isinstance(result, list | tuple | set | frozenset | GeneratorType) or hasattr(result, "__next__"):
        found: Iterable[Any] = result
        return found
    raise _Rubbish(f"returned {_named(result)} in place of findings")


def _finding(found: Any, task: str | None, place: int) -> dict[str, Any]:
    if isinstance(found, str):
        found = Finding(found, task)
    if not isinstance(found, Finding):
        raise _Rubbish(f"returned {_named(found)} among its findings")
    for name in ("message", "task", "at", "help"):
        value = getattr(found, name)
        if not (isinstance(value, str) or (value is None and name != "message")):
            raise _Rubbish(f"returned a finding whose {name} is {_named(value)}")
    if not found.message.strip():
        raise _Rubbish("returned a finding without a message")
    return {
        "pipeline": place,
        "message": found.message[:MOST_TEXT],
        "task": found.task,
        "at": found.at,
        "help": found.help[:MOST_TEXT] if found.help else None,
    }


class _Rubbish(Exception):
    """What a policy returned is no finding."""


def _named(value: Any) -> str:
    return f"a value of type `{type(value).__name__}`"


def _problem(work: Callable[[], object]) -> str | None:
    """What was wrong with the work, in one line; None where nothing was. Nothing that it raises goes further."""
    try:
        work()
    except _Rubbish as error:
        return str(error)
    except SystemExit:
        return "ended the process"
    except MemoryError:
        return "took more memory than there is for policies"
    except BaseException as error:
        return _raised(error)
    return None


def _raised(error: BaseException) -> str:
    """`raised KeyError: 'x', line 12 of ownership.py`; of the line, the last one in the policies' folder."""
    try:
        text = " ".join(str(error).split())[:200]
    except BaseException:
        text = ""
    where, folder = "", sys.path[0] + os.sep
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(folder):
            where = f", line {trace.tb_lineno} of {file.removeprefix(folder)}"
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith(folder):
        where = f", line {error.lineno} of {error.filename.removeprefix(folder)}"
    return f"raised {type(error).__name__}{f': {text}' if text else ''}{where}"
