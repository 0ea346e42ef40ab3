"""Running Python policies in a process of their own, within bounds of time, memory and output."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from sfml.base.record import record
from sfml.policies.model import FunctionRule, Policy

START_SECONDS = 30.0
"""How long the process may take until it is ready, before any policy is loaded."""
MOST_BYTES = 20_000_000
"""How much one process may answer."""

_CODE = "import sys; sys.path.append(sys.argv[1]); from sfml.policies.worker import main; main()"
_KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP")
"""Environment variables that an interpreter may need; no others reach policies: they hold secrets of jobs."""


@record
class Call:
    """A policy, and the numbers of the pipelines that it is called for."""

    policy: Policy
    pipelines: tuple[int, ...]

    @property
    def rule(self) -> FunctionRule:
        assert isinstance(self.policy.rule, FunctionRule)
        return self.policy.rule


@record
class FoundByCall:
    """One finding of a policy, about the pipeline of that number."""

    pipeline: int
    message: str
    task: str | None
    at: str | None
    help: str | None


@record
class CallResult:
    """What became of a policy: its findings, what was wrong with it, and the first line that it printed."""

    policy: Policy
    findings: tuple[FoundByCall, ...] = ()
    problem: str | None = None
    printed: str | None = None


@record
class RunResult:
    """The results of all policies; `cut_off` says what kept them from the network, empty for nothing."""

    results: tuple[CallResult, ...]
    cut_off: str


def run_policies(
    calls: Sequence[Call],
    pipelines: Sequence[Mapping[str, Any]],
    files: Mapping[str, bytes],
    folder: str,
    seconds: float,
) -> RunResult:
    """The results of the policies, each within `seconds`.

    `pipelines` are JSON; `files` are those of the policies' `folder`. They are written anew, so that what runs is what
    was read, without compiled modules that somebody left. A policy that ends or blocks its process is left out, and
    the others go on in a new one.
    """
    results: dict[str, CallResult] = {}
    cut_off = ""
    with tempfile.TemporaryDirectory(prefix="sfml-policies-") as place:
        top = _written(files, folder, Path(place).resolve())
        left = list(calls)
        while left:
            run = _Run(left, pipelines, top, seconds)
            ended, cut_off = run.results()
            results |= {one.policy.code: one for one in ended}
            left = [call for call in left if call.policy.code not in results]
    return RunResult(tuple(results[call.policy.code] for call in calls), cut_off)


def _written(files: Mapping[str, bytes], folder: str, place: Path) -> Path:
    top = place / "policies"
    top.mkdir()
    for file, content in files.items():
        path = top / file.removeprefix(f"{folder}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return top


class _Run:
    """One process, from its start until it is done, dies, or is ended."""

    def __init__(
        self, calls: Sequence[Call], pipelines: Sequence[Mapping[str, Any]], folder: Path, seconds: float
    ) -> None:
        self.calls = {call.policy.code: call for call in calls}
        self.seconds = seconds
        self.folder = folder
        self.request = {
            "folder": str(folder),
            "pipelines": pipelines,
            "policies": [
                {
                    "code": call.policy.code,
                    "module": call.rule.module,
                    "function": call.rule.function,
                    "parameters": list(call.rule.parameters),
                    "pipelines": list(call.pipelines),
                }
                for call in calls
            ],
        }

    def results(self) -> tuple[list[CallResult], str]:
        """The results until the process ended; at least one, so that a new process always has less to do."""
        process = _started(self.folder)
        try:
            return self._followed(process)
        finally:
            _end(process)

    def _followed(self, process: subprocess.Popen[bytes]) -> tuple[list[CallResult], str]:
        assert process.stdin is not None and process.stdout is not None
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
        threading.Thread(target=_write, args=(process.stdin, json.dumps(self.request)), daemon=True).start()
        ended: list[CallResult] = []
        cut_off, current = "", next(iter(self.calls))
        is_ready = False
        until = time.monotonic() + START_SECONDS
        latest = until + self.seconds * len(self.calls)
        while True:
            answer = _answer(lines, min(until, latest) - time.monotonic())
            if isinstance(answer, str) or answer.get("done"):
                break
            until = time.monotonic() + self.seconds
            if "ready" in answer:
                is_ready, cut_off = True, str(answer["ready"])
            elif answer.get("begun") in self.calls:
                current = answer["begun"]
            elif answer.get("ended") == current:
                ended.append(_result(self.calls[current].policy, answer))
        if is_ready and isinstance(answer, str) and current not in {one.policy.code for one in ended}:
            words = {"late": f"did not end within {self.seconds:g} s", "nonsense": "wrote into its answers"}
            problem = words.get(answer, "ended the process")
            ended.append(CallResult(self.calls[current].policy, problem=problem))
        known = {one.policy.code for one in ended}
        if not isinstance(answer, str) or not ended:
            missing = (call for code, call in self.calls.items() if code not in known)
            ended += [CallResult(call.policy, problem="did not answer") for call in missing]
        return ended, cut_off


def _started(folder: Path) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(folder)}
    return subprocess.Popen(
        # Isolated from the working directory and the user's packages, and without writing compiled modules.
        (sys.executable, "-I", "-B", "-X", "utf8", "-c", _CODE, str(Path(__file__).parents[2])),
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(stream: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Pass on the lines until the end, which is an empty one; so is an answer that is too long."""
    left = MOST_BYTES
    with contextlib.suppress(OSError, ValueError):
        while left > 0:
            line = stream.readline(left)
            left -= len(line)
            if not line.endswith(b"\n"):
                break
            lines.put(line)
    lines.put(b"")


def _write(stream: IO[bytes], request: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        stream.write(request.encode() + b"\n")
        stream.close()


def _answer(lines: queue.SimpleQueue[bytes], seconds: float) -> dict[str, Any] | str:
    """The next answer; `late` when there is none in time, `ended` after the last one, `nonsense` for what is none."""
    try:
        line = lines.get(timeout=max(seconds, 0.001))
    except queue.Empty:
        return "late"
    if not line:
        return "ended"
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return "nonsense"
    return answer if isinstance(answer, dict) else "nonsense"


def _result(policy: Policy, answer: Mapping[str, Any]) -> CallResult:
    return CallResult(
        policy,
        tuple(_findings(answer.get("findings"))),
        _text(answer.get("problem")),
        _text(answer.get("printed")),
    )


def _findings(found: Any) -> Iterator[FoundByCall]:
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and isinstance(one.get("pipeline"), int) and _text(one.get("message")):
            yield FoundByCall(
                one["pipeline"],
                _text(one["message"]) or "",
                _text(one.get("task")),
                _text(one.get("at")),
                _text(one.get("help")),
            )


def _text(value: Any) -> str | None:
    """The text, without halves of surrogate pairs, which no encoding of an output takes."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else None
