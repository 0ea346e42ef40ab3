"""Prints findings in the formats of other programs: SARIF, GitLab's code quality, GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sfml.base.diagnostic import Diagnostic
from sfml.cli import output

if TYPE_CHECKING:
    from sfml.check.explanations import Explanation


def say_in_format(
    form: str, diagnostics: Sequence[Diagnostic], policies: Mapping[str, Explanation] | None = None
) -> bool:
    """Print the findings as `sarif`, `gitlab` or `github`; returns whether `form` is one of these.

    `policies` are the explanations of policies' codes.
    """
    match form:
        case "sarif":
            from sfml.render.sarif import diagnostics_sarif

            log = diagnostics_sarif(diagnostics, policies)
            output.say_json_text(json.dumps(log, indent=2, ensure_ascii=False))
        case "gitlab":
            from sfml.render.gitlab import diagnostics_gitlab

            output.say_json_text(json.dumps(diagnostics_gitlab(diagnostics), indent=2, ensure_ascii=False))
        case "github":
            from sfml.render.github import diagnostics_github

            if diagnostics:
                output.say_document(diagnostics_github(diagnostics))
        case _:
            return False
    return True
