"""Reading the text of an input file, or the finding that says why it cannot be read."""

from __future__ import annotations

import re
from pathlib import Path

from sfml.base.diagnostic import Diagnostic
from sfml.base.source import Span

MAX_BYTES = 1_000_000

# Characters that YAML does not allow in a stream, except surrogates, which UTF-8 does not allow either.
# https://yaml.org/spec/1.2.2/#51-character-set
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def read_text(path: Path, file: str) -> str | Diagnostic:
    """The text of `path` (shown to users as `file`), or the finding that says why it cannot be read."""
    whole = Span.whole(file)
    try:
        if path.is_dir():
            return Diagnostic.error("SF121", f"`{file}` is a folder, not a file", at=whole)
        if not path.is_file() and path.exists():
            return Diagnostic.error("SF121", f"`{file}` is not a regular file", at=whole)
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as cause:
        if path.is_symlink():
            message = f"`{file}` is a link to `{path.readlink().as_posix()}`, which does not exist"
            return Diagnostic.error("SF121", message, at=whole, help="mend the link, or remove it")
        return Diagnostic.error("SF121", f"`{file}` cannot be read: {cause.strerror}", at=whole)
    except OSError as cause:
        return Diagnostic.error("SF121", f"`{file}` cannot be read: {cause.strerror or cause}", at=whole)
    return decoded(raw, file)


def decoded(raw: bytes, file: str) -> str | Diagnostic:
    """The bytes as text, or the finding for bytes that are too many, not UTF-8, or not allowed in YAML."""
    if len(raw) > MAX_BYTES:
        return Diagnostic.error(
            "SF104",
            f"`{file}` is larger than {MAX_BYTES // 1000} kB",
            at=Span.whole(file),
            help="split the pipeline into several files",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        before = raw[: cause.start].decode("utf-8-sig", errors="replace")
        return Diagnostic.error(
            "SF103",
            f"byte 0x{raw[cause.start]:02x} is not UTF-8",
            at=_at(before, file),
            help="save the file as UTF-8",
        )
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        name = "a NUL byte" if forbidden[0] == "\0" else f"the control character U+{ord(forbidden[0]):04X}"
        return Diagnostic.error(
            "SF103",
            f"{name} is not allowed in YAML",
            at=_at(text[: forbidden.start()], file),
            help="remove it",
        )
    return text


def _at(before: str, file: str) -> Span:
    """The span of the character right after the text `before`."""
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Span.of(file, line, column, line, column + 1)
