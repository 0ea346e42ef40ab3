"""`sfml policies list|explain|test|trust`"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfml.cli import output
from sfml.cli.command_group import CommandGroup
from sfml.cli.options import Options, shared_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfml.frontend.policy_tests import PolicyTestResult
    from sfml.frontend.project_policies import ProjectPolicies


@click.group(cls=CommandGroup)
def command() -> None:
    """The project's policies: list and explain them, execute their tests, trust those in Python."""


@command.command("list")
@shared_options()
def list_policies(options: Options) -> int:
    """List every policy of the project: its code, how serious it is in which target, and where it is from."""
    from sfml.render.policies import policies_json, policies_text

    project_policies = _project_policies(options)
    _say_findings(project_policies, options)
    if options.json:
        output.say_json(policies_json(project_policies))
    elif not options.quiet:
        output.say(policies_text(project_policies))
    return 1 if project_policies.is_wrong else 0


@command.command("explain")
@click.argument("code")
@shared_options()
def explain(code: str, options: Options) -> int:
    """Explain the policy CODE: what it demands, why, and where it is defined."""
    from sfml.base.diagnostic import did_you_mean
    from sfml.base.errors import UsageError
    from sfml.render.policies import policy_json, policy_text

    project_policies = _project_policies(options)
    policy = project_policies.policies.of_code(code.upper())
    if policy is None:
        known = [one.code for one in project_policies.policies.policies]
        raise UsageError(
            f"there is no policy `{code}`",
            help=did_you_mean(code.upper(), known) or "`sfml policies list` lists them",
        )
    if options.json:
        output.say_json({"policies": [policy_json(project_policies, policy)]})
    else:
        output.say(policy_text(project_policies, policy))
    return 0


@command.command("test")
@click.option(
    "-k", "words", multiple=True, metavar="TEXT", help="Execute only tests with this text in their names."
)
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Also write JUnit XML."
)
@shared_options()
def test_policies(words: tuple[str, ...], junit: Path | None, options: Options) -> int:
    """Execute the tests of policies: what each finds in a pipeline that the test gives.

    Tests are written under `tests` in YAML files of the policies' folder. No account is asked.
    """
    from sfml.base.errors import UsageError
    from sfml.cli.inputs import user_name
    from sfml.frontend.policy_tests import results_of_tests

    began = time.perf_counter()
    project_policies = _project_policies(options)
    _say_findings(project_policies, options)
    if project_policies.is_wrong:
        return 1
    tests = [
        test
        for test in project_policies.policies.tests
        if not words or any(word in test.name for word in words)
    ]
    if not tests:
        raise UsageError(
            "no test's name contains that" if words else "there are no tests of policies",
            help="write some under `tests` in a YAML file of policies; docs/policies.md has examples",
        )
    results = results_of_tests(
        project_policies.policies,
        tests,
        project_policies.root,
        runs_python=project_policies.trusts_python,
        user=user_name(options),
    )
    if junit is not None:
        _write_junit(junit, results)
    _say_results(results, options, time.perf_counter() - began)
    return 0 if all(result.outcome == "passed" for result in results) else 1


@command.command("trust")
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@shared_options()
def trust_policies(auto_approve: bool, options: Options) -> int:
    """Let the policies in Python run on this machine, as they are now; after a change they are not trusted again."""
    from sfml.base.errors import UsageError
    from sfml.policies.trust import content_hash, trust

    project_policies = _project_policies(options)
    codes = [policy.code for policy in project_policies.policies.policies if policy.is_python]
    if not codes:
        raise UsageError("the project has no policies in Python", help="those in YAML need no trust")
    files = sorted(file for file in project_policies.policies.folder if file.endswith(".py"))
    if not auto_approve:
        if options.json or not sys.stdin.isatty():
            raise UsageError(
                "there is no terminal to ask whether this code may run",
                help=f"read {', '.join(files)}, then add --auto-approve",
            )
        output.say(f"{', '.join(codes)} in {', '.join(files)}")
        if not click.confirm("Have you read this code, and may it run on this machine?"):
            raise click.Abort
    place = trust(project_policies.policies.folder, project_policies.root)
    if options.json:
        output.say_json({"trusted": content_hash(project_policies.policies.folder), "files": files})
    elif not options.quiet:
        allowed = (
            ""
            if project_policies.policies.settings.python
            else "; sfml.yaml does not allow them yet: `python: true`"
        )
        output.say(f"trusted, as {place} says{allowed}")
    return 0


def _project_policies(options: Options) -> ProjectPolicies:
    """The project's policies; the findings of a project file with errors are printed."""
    from sfml.base.errors import InvalidSpec
    from sfml.cli.inputs import say_diagnostics
    from sfml.frontend.project_policies import project_policies

    try:
        return project_policies(Path.cwd())
    except InvalidSpec as error:
        say_diagnostics(error.diagnostics, {}, options)
        raise


def _say_findings(project_policies: ProjectPolicies, options: Options) -> None:
    from sfml.cli.inputs import say_diagnostics

    say_diagnostics(project_policies.findings, project_policies.sources, options)


def _say_results(results: Sequence[PolicyTestResult], options: Options, seconds: float) -> None:
    from sfml.render.policies import results_json, results_text
    from sfml.render.symbols import Symbols

    if options.json:
        output.say_json(results_json(results))
        return
    is_right = all(result.outcome == "passed" for result in results)
    if not (options.quiet and is_right):
        symbols = Symbols(output.takes_unicode())
        output.say(results_text(results, symbols, failures_only=options.quiet, seconds=seconds))


def _write_junit(path: Path, results: Sequence[PolicyTestResult]) -> None:
    from sfml.base.errors import UsageError
    from sfml.base.full_disk import is_disk_full
    from sfml.render.policies import results_junit

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(results_junit(results), encoding="utf-8")
    except OSError as cause:
        if is_disk_full(cause):
            raise
        raise UsageError(f"cannot write `{path}`: {cause.strerror or cause}") from cause
