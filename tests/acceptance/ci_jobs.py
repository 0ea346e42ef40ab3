"""Runs the action and the job of the template as their hosts do: each script in a shell of its own, with its variables.

Of the expressions of GitHub just those are understood that `action.yml` uses.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
TEMPLATE = ROOT / "templates" / "review.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_NAME = re.compile(r"(inputs|steps|github|runner)\.[\w.-]+")


@dataclass(frozen=True)
class Ran:
    """A job that has ended: what it printed, and the action's outputs."""

    code: int
    log: str
    summary: str
    outputs: Mapping[str, str]
    uploaded: str | None = None


@dataclass
class Contexts:
    """What expressions see."""

    values: dict[str, str] = field(default_factory=dict)

    def text(self, template: object) -> str:
        return _EXPRESSION.sub(lambda found: self.value(found[1]), str(template))

    def value(self, expression: str) -> str:
        assert _NAME.fullmatch(expression), f"this is no expression that the test knows: {expression}"
        return self.values.get(expression, "")


def steps() -> dict[str, Mapping[str, Any]]:
    """The steps of the action that are scripts, by name."""
    document = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return {step["name"]: step for step in document["runs"]["steps"] if "run" in step}


def install(folder: Path, temp: Path, python: Path, source: Path = ROOT) -> str:
    """The action's step that installs `source`, run in a folder; answers its log."""
    given = {"RUNNER_TEMP": str(temp), "GITHUB_ACTION_PATH": str(source), "SFML_PYTHON": str(python)}
    code, log = _shell(steps()["Install sfml"]["run"], folder, given)
    assert code == 0, log
    return log


def action(folder: Path, temp: Path, environment: Mapping[str, str], token: str = "", **inputs: str) -> Ran:
    """The action where `install` has been, run in a folder; what uses other actions is only looked at."""
    document = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    contexts = Contexts({"github.token": token, "runner.temp": str(temp)})
    assert set(inputs) <= {name.replace("-", "_") for name in document["inputs"]}
    for name, one in document["inputs"].items():
        given = inputs.get(name.replace("-", "_"))
        contexts.values[f"inputs.{name}"] = contexts.text(one["default"]) if given is None else given
    summary, outputs = temp / "summary.md", temp / "outputs"
    for file in (summary, outputs):
        file.write_text("", encoding="utf-8")
    step = steps()["Validate, compare and comment"]
    variables = {
        "RUNNER_TEMP": str(temp),
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(outputs),
        **environment,
        **{name: contexts.text(value) for name, value in step["env"].items()},
    }
    code, log = _shell(step["run"], folder, variables)
    for line in outputs.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        contexts.values[f"steps.{step['id']}.outputs.{name}"] = value
    (upload,) = (one for one in document["runs"]["steps"] if "upload-sarif" in one.get("uses", ""))
    uploaded = contexts.text(upload["with"]["sarif_file"]) or None
    said = {name: contexts.text(one["value"]) for name, one in document["outputs"].items()}
    return Ran(code, log, summary.read_text(encoding="utf-8"), said, uploaded)


def gitlab_job(folder: Path, venv: Path | None, environment: Mapping[str, str], **inputs: str) -> Ran:
    """The template's script, run in a folder; of it the last line alone where the lines before have made `venv`."""
    text = TEMPLATE.read_text(encoding="utf-8")
    header, _ = yaml.safe_load_all(text)
    declared: dict[str, Any] = header["spec"]["inputs"]
    assert set(inputs) <= {name.replace("-", "_") for name in declared}
    for name, one in declared.items():
        default = one.get("default", "not given")
        default = str(default).lower() if isinstance(default, bool) else default
        text = text.replace(f"$[[ inputs.{name} ]]", inputs.get(name.replace("-", "_"), default))
    assert "$[[" not in text
    _, body = yaml.safe_load_all(text)
    ((_, job),) = body.items()
    given = {"GITLAB_CI": "true", **environment, **job["variables"]}
    if venv is None:
        code, log = _shell("\n".join(job["script"]), folder, given)
    else:
        code, log = _shell(job["script"][-1], folder, {**given, "venv": str(venv)})
    written = folder / job["artifacts"]["reports"]["dotenv"]
    lines = written.read_text(encoding="utf-8").splitlines() if written.exists() else []
    return Ran(code, log, "", dict(line.split("=", 1) for line in lines))


_UNCOMPILED = {"PIP_NO_COMPILE": "0"}
"""pip compiles no modules: what is imported is compiled then, in a fraction of the time. (The switch, off, says so.)"""


def _shell(script: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """As the hosts call bash."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    kept |= _UNCOMPILED
    done = subprocess.run(
        ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script),
        cwd=folder,
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout
