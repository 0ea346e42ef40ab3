"""The steps of a job: validate, compare, comment. It runs `sfml` as a command in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sfml.base.errors import SfmlError
from sfml.base.record import record
from sfml.ci.commits import Clone, Commits, clone_at, commits_of
from sfml.ci.http import HostRefusal
from sfml.ci.job_inputs import TOKENS, JobInputs
from sfml.ci.log import say, say_error, say_notice
from sfml.ci.occasion import Occasion
from sfml.ci.posting import marked, post, shortened
from sfml.ci.threads import thread_of

_SUMMARY_LIMIT = 1_000_000
"""The maximum length of a step's summary in bytes; GitHub accepts 1 MiB."""

_PERMISSIONS = {"github": "the permission `pull-requests: write`", "gitlab": "the scope `api`"}
"""The permission that a token needs to comment, by host."""


@record
class SpecReview:
    """The output of `sfml diff`: the comment in Markdown, and the JSON object."""

    comment: str
    diff: Mapping[str, Any]


def review(inputs: JobInputs, occasion: Occasion) -> int:
    """Run the review. Returns the exit code: 0, or 1 if the head has errors or a step failed."""
    clone = clone_at(inputs.folder)
    folder = _empty_folder(inputs.out)
    commits, error = _commits(clone, inputs, occasion)
    code, findings = _validate(clone, inputs, occasion, folder, commits)
    outputs = {"findings": str(findings)}
    if (folder / "sfml.sarif").exists():
        outputs["sarif"] = str(folder / "sfml.sarif")
    try:
        if error is not None:
            raise error
        if commits is None:
            say_notice("nothing to compare with: this job belongs to no pull request; `base` names a commit")
        else:
            spec_review = _compare(clone, inputs, commits)
            outputs |= _fingerprints(spec_review.diff)
            (folder / "comment.md").write_text(spec_review.comment, encoding="utf-8")
            _publish(inputs, occasion, spec_review)
    except SfmlError as error:
        say_error(error.message, error.help)
        code = code or 1
    _write_outputs(outputs, occasion, folder)
    return code


def _commits(clone: Clone, inputs: JobInputs, occasion: Occasion) -> tuple[Commits | None, SfmlError | None]:
    """The commits to compare, None without a request; or the error that keeps them from being compared."""
    try:
        return commits_of(clone, inputs, occasion), None
    except SfmlError as error:
        return None, error


def _of_policies(commits: Commits | None) -> tuple[str, ...]:
    """Policies are those of the base, which are merged, and only what the change brings in counts.

    The files under review may be a stranger's: policies in Python never run from there.
    """
    return () if commits is None else (f"--policies={commits.base}", f"--baseline={commits.base}")


def _empty_folder(folder: Path) -> Path:
    """Prepare the output folder. A symbolic link is removed: the code under review could contain one."""
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("sfml.sarif", "code-quality.json", "comment.md", "review.env"):
        (folder / file).unlink(missing_ok=True)
    return folder


def _validate(
    clone: Clone, inputs: JobInputs, occasion: Occasion, folder: Path, commits: Commits | None
) -> tuple[int, int]:
    """Validate the specs, and report the findings to the host. Returns the exit code and the number of findings."""
    target = () if inputs.target is None else (f"--target={inputs.target}",)
    words = ("validate", *inputs.specs_from(clone.prefix), *target, *_of_policies(commits))
    sarif = ["--output=sarif"] if inputs.wants_sarif else []
    if occasion.host == "github":
        (code, printed), *others = _sfml(clone, words, "--output=github", *sarif)
        findings = sum(line.startswith("::") for line in printed.splitlines())
        if printed:
            print(printed.rstrip("\n"), flush=True)
    else:
        (code, printed), (_, report), *others = _sfml(clone, words, "--no-color", "--output=gitlab", *sarif)
        print(printed.rstrip("\n"), flush=True)
        (folder / "code-quality.json").write_text(report or "[]", encoding="utf-8")
        findings = len(json.loads(report or "[]"))
    if code > 1:
        raise SfmlError("the specs could not be validated", help="see what `sfml validate` says above")
    say(f"{findings or 'no'} finding{'' if findings == 1 else 's'}")
    for _, findings_as_sarif in others:
        (folder / "sfml.sarif").write_text(findings_as_sarif, encoding="utf-8")
    return code, findings


def _compare(clone: Clone, inputs: JobInputs, commits: Commits) -> SpecReview:
    target = () if inputs.target is None else (f"--target={inputs.target}",)
    specs = inputs.specs_from(clone.prefix)
    trusted = _of_policies(commits)[:1]
    words = ("diff", *specs, f"--base={commits.base}", f"--head={commits.head}", *target, *trusted)
    (code, comment), (_, printed) = _sfml(clone, words, "--output=markdown", "--output=json")
    try:
        diff = json.loads(printed)
    except ValueError:
        diff = {}
    # Exit code 1 is no failure here: a head with errors is compared as far as possible.
    if code > 1 or not comment or "pipelines" not in diff:
        raise SfmlError("the change could not be shown", help="see what `sfml diff` says above")
    return SpecReview(marked(comment, inputs.key), diff)


def _publish(inputs: JobInputs, occasion: Occasion, spec_review: SpecReview) -> None:
    """Post the comment, or show it in the job's summary or log if it is not wanted or not permitted."""
    if not inputs.wants_comment or occasion.number is None:
        _show(occasion, spec_review.comment)
        return
    thread = thread_of(inputs, occasion)
    if thread is None:
        _show(occasion, spec_review.comment)
        say_notice(f"no comment posted: this job has no token; {_where(occasion)}")
        return
    try:
        # No comment is created for a change that affects no pipeline, but an existing one must be updated.
        result = post(thread, shortened(spec_review.comment), only_update=not spec_review.diff["pipelines"])
        say(result)
    except HostRefusal as error:
        _show(occasion, spec_review.comment)
        say_notice(
            f"no comment posted: this job's token may not comment, as in a request from a fork, or without "
            f"{_PERMISSIONS[occasion.host]}; {_where(occasion)} ({error.message})"
        )
    except SfmlError:
        _show(occasion, spec_review.comment)
        raise


def _where(occasion: Occasion) -> str:
    if occasion.summary is not None:
        return "the summary of this job shows what the comment would say"
    return "the log and the files of this job show what the comment would say"


def _show(occasion: Occasion, comment: str) -> None:
    if occasion.summary is None:
        for line in comment.splitlines():
            # The indentation prevents that a line is taken for a workflow command.
            print(f"  {line}", flush=True)
        return
    with occasion.summary.open("a", encoding="utf-8") as file:
        file.write(comment if len(comment.encode()) <= _SUMMARY_LIMIT else shortened(comment))


def _fingerprints(diff: Mapping[str, Any]) -> dict[str, str]:
    """The outputs of the comparison. `fingerprint` is empty unless exactly one pipeline and target changed."""
    changed = {
        pipeline["spec"]: {
            name: target["fingerprint"]
            for name, target in pipeline["targets"].items()
            if target["fingerprint"] and target["status"] != "unchanged"
        }
        for pipeline in diff["pipelines"]
    }
    changed = {spec: targets for spec, targets in changed.items() if targets}
    flat = [fingerprint for targets in changed.values() for fingerprint in targets.values()]
    return {
        "changed": "false" if diff["is_empty"] else "true",
        "fingerprint": flat[0] if len(flat) == 1 else "",
        "fingerprints": json.dumps(changed, sort_keys=True),
    }


def _write_outputs(outputs: Mapping[str, str], occasion: Occasion, folder: Path) -> None:
    """Write the outputs for later steps and jobs. No value contains a line end: JSON escapes it."""
    if occasion.host == "gitlab":
        # GitLab limits this report to 5 kB, which the fingerprints of many pipelines would exceed.
        # https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsdotenv
        names = ("changed", "fingerprint", "findings")
        lines = (f"SFML_{name.upper()}={outputs[name]}\n" for name in names if name in outputs)
        (folder / "review.env").write_text("".join(lines), encoding="utf-8")
    elif occasion.outputs is not None:
        with occasion.outputs.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def _sfml(clone: Clone, words: Sequence[str], *outputs: str) -> list[tuple[int, str]]:
    """Run `sfml` in the top folder of the repository, without the job's token, once for each output.

    Returns the exit code and the output of each. The log shows the first command, and what it reports.
    """
    commands = [shlex.join((*words, output)) for output in outputs]
    say(f"$ sfml {commands[0]}")
    separator = secrets.token_hex()
    completed = subprocess.run(
        (*_PYTHON, "-c", "from sfml.cli.several import main; main()", separator, *commands),
        cwd=clone.top,
        env={key: value for key, value in os.environ.items() if key not in TOKENS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    printed, codes = completed.stdout.split(separator)[:-1:2], completed.stdout.split(separator)[1::2]
    results = [(int(code), text) for code, text in zip(codes, printed, strict=True)]
    return results + [(2, "")] * (len(outputs) - len(results))


_PYTHON = (sys.executable, "-I", "-X", "utf8")
