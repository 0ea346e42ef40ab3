"""What a job does: validate, compare, comment; `sfml` itself is run as anyone would type it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sfml.base.errors import SfmlError
from sfml.base.record import record
from sfml.ci.asked import TOKENS, JobInputs
from sfml.ci.commits import Clone, Commits, clone_at, commits_of
from sfml.ci.http import HostRefusal
from sfml.ci.log import say, say_error, say_notice
from sfml.ci.occasion import Occasion
from sfml.ci.posting import marked, post, shortened
from sfml.ci.threads import thread_of

_SUMMARY_LIMIT = 1_000_000
"""Of a step's summary on GitHub, which takes a little more."""

_RIGHT = {"github": "the permission `pull-requests: write`", "gitlab": "the scope `api`"}
"""What a token needs to comment."""


@record
class SpecReview:
    """What `sfml diff` printed: the comment, and the object of `-o json`."""

    comment: str
    diff: Mapping[str, Any]


def review(asked: JobInputs, occasion: Occasion) -> int:
    """The exit code: 0, or 1 where the head has errors or something could not be done."""
    clone = clone_at(asked.folder)
    folder = _fresh(asked.out)
    code, findings = _validate(clone, asked, occasion, folder)
    outputs = {"findings": str(findings)}
    if (folder / "sfml.sarif").exists():
        outputs["sarif"] = str(folder / "sfml.sarif")
    try:
        commits = commits_of(clone, asked, occasion)
        if commits is None:
            say_notice("nothing to compare with: this job belongs to no pull request; `base` names a commit")
        else:
            compared = _compare(clone, asked, commits)
            outputs |= _fingerprints(compared.diff)
            (folder / "comment.md").write_text(compared.comment, encoding="utf-8")
            _tell(asked, occasion, compared)
    except SfmlError as error:
        say_error(error.message, error.help)
        code = code or 1
    _hand_over(outputs, occasion, folder)
    return code


def _fresh(folder: Path) -> Path:
    """The folder for files; one that the code under review brought along could lead elsewhere."""
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("sfml.sarif", "code-quality.json", "comment.md", "review.env"):
        (folder / file).unlink(missing_ok=True)
    return folder


def _validate(clone: Clone, asked: JobInputs, occasion: Occasion, folder: Path) -> tuple[int, int]:
    """The exit code and the number of findings, which are marked at their lines."""
    target = () if asked.target is None else (f"--target={asked.target}",)
    words = ("validate", *asked.specs_from(clone.prefix), *target)
    if occasion.host == "github":
        code, printed = _sfml(clone, *words, "--output=github")
        findings = sum(line.startswith("::") for line in printed.splitlines())
        if printed:
            print(printed.rstrip("\n"), flush=True)
    else:
        code, printed = _sfml(clone, *words, "--no-color")
        print(printed.rstrip("\n"), flush=True)
        _, report = _sfml(clone, *words, "--output=gitlab", shown=False)
        (folder / "code-quality.json").write_text(report or "[]", encoding="utf-8")
        findings = len(json.loads(report or "[]"))
    if code > 1:
        raise SfmlError("the specs could not be validated", help="see what `sfml validate` says above")
    say(f"{findings or 'no'} finding{'' if findings == 1 else 's'}")
    if asked.wants_sarif:
        _, sarif = _sfml(clone, *words, "--output=sarif", shown=False)
        (folder / "sfml.sarif").write_text(sarif, encoding="utf-8")
    return code, findings


def _compare(clone: Clone, asked: JobInputs, commits: Commits) -> SpecReview:
    target = () if asked.target is None else (f"--target={asked.target}",)
    specs = asked.specs_from(clone.prefix)
    words = ("diff", *specs, f"--base={commits.base}", f"--head={commits.head}", *target)
    code, comment = _sfml(clone, *words, "--output=markdown")
    _, printed = _sfml(clone, *words, "--output=json", shown=False)
    try:
        found = json.loads(printed)
    except ValueError:
        found = {}
    # A head with errors is compared as far as it goes, and ends with 1 as well.
    if code > 1 or not comment or "pipelines" not in found:
        raise SfmlError("the change could not be shown", help="see what `sfml diff` says above")
    return SpecReview(marked(comment, asked.key), found)


def _tell(asked: JobInputs, occasion: Occasion, compared: SpecReview) -> None:
    """Posts the comment; where that is not wanted, or not allowed, it is shown with the job."""
    if not asked.wants_comment or occasion.number is None:
        _show(occasion, compared.comment)
        return
    thread = thread_of(asked, occasion)
    if thread is None:
        _show(occasion, compared.comment)
        say_notice(f"no comment posted: this job has no token; {_where(occasion)}")
        return
    try:
        # A change that reaches no pipeline is worth no comment, but one from before would now be wrong.
        said = post(thread, shortened(compared.comment), only_update=not compared.diff["pipelines"])
        say(said)
    except HostRefusal as error:
        _show(occasion, compared.comment)
        say_notice(
            f"no comment posted: this job's token may not, as in a request from a fork, or without "
            f"{_RIGHT[occasion.host]}; {_where(occasion)} ({error.message})"
        )
    except SfmlError:
        _show(occasion, compared.comment)
        raise


def _where(occasion: Occasion) -> str:
    if occasion.summary is not None:
        return "the summary of this job shows what the comment would say"
    return "the log and the files of this job show what the comment would say"


def _show(occasion: Occasion, comment: str) -> None:
    if occasion.summary is None:
        for line in comment.splitlines():
            # No line of it may look like a command of the runner.
            print(f"  {line}", flush=True)
        return
    with occasion.summary.open("a", encoding="utf-8") as file:
        file.write(comment if len(comment.encode()) <= _SUMMARY_LIMIT else shortened(comment))


def _fingerprints(diff: Mapping[str, Any]) -> dict[str, str]:
    """Outputs of the comparison; `fingerprint` is that of the only pipeline and target that changed, or empty."""
    every = {
        one["spec"]: {
            name: target["fingerprint"]
            for name, target in one["targets"].items()
            if target["fingerprint"] and target["status"] != "unchanged"
        }
        for one in diff["pipelines"]
    }
    every = {spec: targets for spec, targets in every.items() if targets}
    flat = [fingerprint for targets in every.values() for fingerprint in targets.values()]
    return {
        "changed": "false" if diff["is_empty"] else "true",
        "fingerprint": flat[0] if len(flat) == 1 else "",
        "fingerprints": json.dumps(every, sort_keys=True),
    }


def _hand_over(outputs: Mapping[str, str], occasion: Occasion, folder: Path) -> None:
    """What later steps and jobs read. No value holds a line end: paths are ours, and JSON escapes it."""
    if occasion.host == "gitlab":
        # A report of variables may be 5 kB long, which the fingerprints of many pipelines would not fit into.
        # https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
        names = ("changed", "fingerprint", "findings")
        lines = (f"SFML_{name.upper()}={outputs[name]}\n" for name in names if name in outputs)
        (folder / "review.env").write_text("".join(lines), encoding="utf-8")
    elif occasion.outputs is not None:
        with occasion.outputs.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def _sfml(clone: Clone, *words: str, shown: bool = True) -> tuple[int, str]:
    """The exit code of `sfml` and what it printed, run at the top of the repository, without the job's token."""
    if shown:
        say(f"$ sfml {shlex.join(words)}")
    done = subprocess.run(
        (*_command(), *words),
        cwd=clone.top,
        env={key: value for key, value in os.environ.items() if key not in TOKENS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if shown else subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout


def _command() -> Sequence[str]:
    return (sys.executable, "-I", "-X", "utf8", "-c", "from sfml.cli import main; main()")
