"""A Python whose new environments get their pip from one that pytest's cache keeps.

Unpacking and compiling pip takes longer than all else that such a job does; what makes environments is Python's own.
"""

from __future__ import annotations

import fcntl
import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_PYTHON = """#!/bin/sh
set -e
case " $* " in
*" -m venv "*)
    {python} "$@" --without-pip
    for made in "$@"; do :; done
    to=$(echo "$made"/lib/python*/site-packages)
    cp -al {packages}/. "$to" 2>/dev/null || cp -a {packages}/. "$to"
    ;;
*) exec {python} "$@" ;;
esac
"""


def python_with_kept_pip(cache: pytest.Cache, folder: Path) -> Path:
    """A `python3` in a folder: this Python, but that it links pip into the environments that it makes."""
    (packages,) = (_kept(cache) / "lib").glob("python*/site-packages")
    python = folder / "python3"
    python.write_text(
        _PYTHON.format(python=shlex.quote(sys.executable), packages=shlex.quote(str(packages))),
        encoding="utf-8",
    )
    python.chmod(0o755)
    return python


def _kept(cache: pytest.Cache) -> Path:
    """An environment of this very Python with pip alone, made where there is none."""
    kept = Path(str(cache.mkdir("pip")))
    made = kept / hashlib.sha256(f"{sys.base_prefix} {sys.version}".encode()).hexdigest()[:16]
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of a first run come at once
        if not (made / ".complete").exists():
            for before in kept.glob("*/"):
                shutil.rmtree(before)
            subprocess.run((sys.executable, "-I", "-m", "venv", made), check=True, capture_output=True)
            (made / ".complete").touch()
    return made
