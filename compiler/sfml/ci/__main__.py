"""The entry point `python -I -m sfml.ci`, for jobs of GitHub Actions and GitLab CI."""

from __future__ import annotations

import io
import os
import sys

from sfml.base.errors import SfmlError, UsageError
from sfml.ci.job_inputs import asked_of
from sfml.ci.log import say_error
from sfml.ci.occasion import occasion_of
from sfml.ci.review import review


def main() -> int:
    """Run the review; returns the exit code of the job: 0 done, 1 findings or failure, 2 wrong usage."""
    if not sys.flags.isolated:
        say_error("modules of the code under review could be imported", "run it as:  python -I -m sfml.ci")
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        return review(asked_of(os.environ), occasion_of(os.environ))
    except SfmlError as error:
        say_error(error.message, error.help)
        return 2 if isinstance(error, UsageError) else 1


sys.exit(main())
