"""A project whose commands run in the test's own process, which loads Snowflake's clients once."""

from __future__ import annotations

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass

from conftest import Done, Project

from sfml.cli.entry import run


class _Text(io.StringIO):
    """What a command prints, taken as by a terminal that knows Unicode."""

    encoding = "utf-8"  # type: ignore[assignment]


@dataclass(frozen=True)
class Here(Project):
    def sfml(self, *arguments: str, ok: bool | None = True, timeout: float = 300) -> Done:
        out, err = _Text(), _Text()
        with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            code = run(list(arguments))
        done = Done(code, out.getvalue(), err.getvalue())
        if ok is not None:
            assert (code == 0) is ok, f"sfml {' '.join(arguments)} → {code}\n{done.text}"
        return done
