"""Which Python policies this user trusts: hashes of the contents of policies' folders, in the user's own settings.

A project cannot trust itself: its files are those of whoever wrote them, perhaps in a pull request of a stranger.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sfml.base.atomic import write_whole

_NAME = "trusted-policies"
_DATA = (".yaml", ".yml", ".md")
"""Files that Python does not import; trusted code may read them, and they may change."""


def content_hash(files: Mapping[str, bytes]) -> str:
    """The sha256 over names and contents of all files that a Python policy may load."""
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        if path.endswith(_DATA):
            continue
        name = path.encode(errors="surrogateescape")
        digest.update(b"%d:%s%d:" % (len(name), name, len(content)))
        digest.update(content)
    return digest.hexdigest()


def is_trusted(files: Mapping[str, bytes]) -> bool:
    """Whether the user said `sfml policies trust` of exactly these contents."""
    return content_hash(files) in _hashes()


def trust(files: Mapping[str, bytes], project: Path) -> Path:
    """Trust these contents from now on, wherever they are; returns the file that says so."""
    place = settings_file()
    place.parent.mkdir(parents=True, exist_ok=True)
    hashes = {**_hashes(), content_hash(files): str(project)}
    text = "".join(f"{digest}  {_one_line(name)}\n" for digest, name in hashes.items())
    write_whole(place, text.encode(errors="surrogateescape"))
    return place


def settings_file() -> Path:
    """The file with the trusted contents: in `XDG_CONFIG_HOME`, `APPDATA` on Windows, or `~/.config`."""
    variable = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
    folder = os.environ.get(variable)
    return (Path(folder) if folder else Path.home() / ".config") / "sfml" / _NAME


def _hashes() -> dict[str, str]:
    try:
        lines = settings_file().read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except (OSError, RuntimeError):  # without a home folder there is no file either
        return {}
    return {digest: name.strip() for digest, _, name in (line.partition(" ") for line in lines) if digest}


def _one_line(text: str) -> str:
    return " ".join(text.split())
