"""Silencing findings: `# sfml: ignore SF326 -- reason` in a file, and `ignore` in the project file.

Only warnings can be silenced, each with a reason. A silencing without a finding is a finding itself (SF151).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any

import yaml

from sfml.base.diagnostic import MAX_FINDINGS, Diagnostic, Fix, Severity, first_of
from sfml.base.record import record
from sfml.base.source import Span, is_yaml, source_lines
from sfml.check.explanations import explanations
from sfml.spec.nodes import ListNode, MapNode, text_of, texts_of

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_HINT = re.compile(r"#\s*sfml\s*:")
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#\s*sfml\s*:\s*(?P<word>[A-Za-z]*)(?P<rest>.*)$")
_REST = re.compile(r"\s+(?P<codes>[A-Za-z0-9_]+(?:\s*,\s*[A-Za-z0-9_]+)*)\s*(?:--\s*(?P<reason>.*))?")
_FORM = "write `# sfml: ignore SF326 -- why it is fine here`"
MAX_SILENCINGS = 1_000
SILENCING_CODES = ("SF150", "SF151")


@record
class Silencing:
    """A code that is silenced on a `line` of the file of `span`, or in all files that `paths` match (all if empty).

    `removal` is the fix that removes the comment.
    """

    code: str
    reason: str
    span: Span
    line: int | None = None
    paths: tuple[str, ...] = ()
    path: str | None = None
    removal: Fix | None = None

    def covers(self, finding: Diagnostic) -> bool:
        if finding.code != self.code or finding.code in SILENCING_CODES:
            return False
        if self.line is not None:
            at = finding.span
            return at is not None and at.file == self.span.file and at.start.line == self.line
        return not self.paths or any(_matches(path, finding) for path in self.paths)


def silencings(
    sources: Mapping[str, str], document: MapNode | None, policies: Collection[str] = ()
) -> tuple[tuple[Silencing, ...], tuple[Diagnostic, ...]]:
    """The silencings in comments and in the project file, and the findings for wrong ones.

    `policies` are the codes of the project's policies, beside those of the rules.
    """
    parsed: list[Silencing] = []
    findings: list[Diagnostic] = []
    for file, text in sources.items():
        if is_yaml(file) and _HINT.search(text):
            _read_comments(file, text, policies, parsed, findings)
    ignored = document.get("ignore") if document is not None else None
    for item in ignored.items if isinstance(ignored, ListNode) else ():
        if isinstance(item, MapNode):
            _read_entry(item, policies, parsed, findings)
    return tuple(parsed), tuple(first_of(iter(findings), MAX_FINDINGS))


@record
class SilencedFindings:
    """The findings that are kept, those that were silenced, and the silencings that applied to any of them."""

    kept: tuple[Diagnostic, ...]
    accepted: tuple[Diagnostic, ...]
    used: frozenset[Silencing]


def silenced(findings: Iterable[Diagnostic], silencings: tuple[Silencing, ...]) -> SilencedFindings:
    """The findings without the silenced ones. Errors are kept, and a comment that silences one is an error too."""
    kept: list[Diagnostic] = []
    accepted: list[Diagnostic] = []
    used: set[Silencing] = set()
    by_line: dict[tuple[str, str, int], list[Silencing]] = {}
    everywhere = [silencing for silencing in silencings if silencing.line is None]
    for silencing in silencings:
        if silencing.line is not None:
            by_line.setdefault((silencing.code, silencing.span.file, silencing.line), []).append(silencing)
    for finding in findings:
        if (
            finding.severity is Severity.NOTE
        ):  # counts findings that are not shown, whose places are not known
            used.update(silencing for silencing in silencings if silencing.code == finding.code)
        at = finding.span
        here = by_line.get((finding.code, at.file, at.start.line), ()) if at is not None else ()
        covering = [one for one in (*here, *everywhere) if one.covers(finding)]
        if finding.is_error or not covering:
            kept.append(finding)
            kept += [_silenced_error(silencing) for silencing in covering if silencing.line is not None]
        else:
            accepted.append(finding)
        used.update(covering)
    return SilencedFindings(tuple(kept), tuple(accepted), frozenset(used))


def unused(silencing: Silencing) -> Diagnostic:
    """The finding for a silencing that applies to no finding."""
    message = f"nothing here is a `{silencing.code}`; the silencing is not needed"
    fix = silencing.removal
    return Diagnostic.warning(
        "SF151", message, at=silencing.span, path=silencing.path, help="take it out", fix=fix
    )


def _silenced_error(silencing: Silencing) -> Diagnostic:
    message = f"`{silencing.code}` is an error here; only warnings can be silenced"
    return Diagnostic.error("SF150", message, at=silencing.span, help="correct the error")


def _read_comments(
    file: str,
    text: str,
    policies: Collection[str],
    parsed: list[Silencing],
    findings: list[Diagnostic],
) -> None:
    lines = source_lines(text)
    inside = _scalars(text)
    for index, line in enumerate(lines):
        match = _COMMENT.search(line) if "sfml" in line else None
        if match is None or _is_within((index, match.start()), inside):
            continue
        if len(parsed) + len(findings) >= MAX_SILENCINGS:
            whole = Span.of(file, index + 1, match.start() + 1, index + 1, len(line) + 1)
            message = f"there are more than {MAX_SILENCINGS:,} silencings"
            findings.insert(0, Diagnostic.error("SF150", message, at=whole, help="correct what they silence"))
            return
        blank = len(line[: match.start()].rstrip())
        span = Span.of(file, index + 1, match.start() + 1, index + 1, len(line) + 1)
        rest = _REST.fullmatch(match["rest"].rstrip())
        problem = _problem(match["word"], rest, policies)
        if problem is not None or rest is None:
            findings.append(Diagnostic.error("SF150", problem or "", at=span, help=_FORM))
            continue
        codes = tuple(code.strip().upper() for code in rest["codes"].split(","))
        covered = index + 1 if blank else _next_line(lines, index)
        # A comment with several codes is not removed for one of them, because the others may be needed.
        removal = _removal(file, index + 1, line, blank) if len(codes) == 1 else None
        for code in codes:
            parsed.append(Silencing(code, rest["reason"].strip(), span, line=covered, removal=removal))


def _removal(file: str, number: int, line: str, blank: int) -> Fix:
    """The fix that removes a comment: with its line if it stands alone there, else with the blanks before it."""
    if blank == 0:
        return Fix(Span.of(file, number, 1, number + 1, 1), f"{line}\n", "")
    return Fix(Span.of(file, number, blank + 1, number, len(line) + 1), line[blank:], "")


def _problem(word: str, rest: re.Match[str] | None, policies: Collection[str]) -> str | None:
    """What is wrong with a comment, in words; None for a right one."""
    if word != "ignore":
        return f"`sfml: {word}` means nothing; a comment can `ignore`"
    if rest is None:
        return "it does not say which code to ignore"
    for code in rest["codes"].split(","):
        if not _is_known(code.strip().upper(), policies):
            return f"there is no code `{code.strip()}`"
    return None if (rest["reason"] or "").strip() else "a reason is missing"


def _is_known(code: str, policies: Collection[str]) -> bool:
    return code in explanations() or code in policies


def _scalars(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The places of quoted and block texts, in which `#` does not begin a comment."""
    places = []
    try:
        for token in yaml.scan(text, Loader=_Loader):
            if isinstance(token, yaml.ScalarToken) and not token.plain:
                start, end = token.start_mark, token.end_mark
                first = (start.line, start.column) if token.style in "'\"" else (start.line + 1, 0)
                places.append((first, (end.line, end.column)))
    except yaml.YAMLError:
        pass  # SF101 reports it, and the file has no other finding that could be silenced
    return places


def _is_within(place: tuple[int, int], stretches: list[tuple[tuple[int, int], tuple[int, int]]]) -> bool:
    index = bisect_right(stretches, place, key=itemgetter(0))
    return index > 0 and place < stretches[index - 1][1]


def _next_line(lines: list[str], index: int) -> int:
    """The number of the next line that is not empty and not only a comment."""
    for number in range(index + 1, len(lines)):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            return number + 1
    return len(lines)


def _read_entry(
    item: MapNode, policies: Collection[str], parsed: list[Silencing], findings: list[Diagnostic]
) -> None:
    code, reason = text_of(item.get("code")) or "", text_of(item.get("reason")) or ""
    at = item.entries["code"].span if "code" in item.entries else item.span
    if not _is_known(code, policies):
        message = f"there is no code `{code}`"
        findings.append(
            Diagnostic.error(
                "SF150", message, at=at, path=f"{item.path}.code", help="`sfml explain` lists them"
            )
        )
        return
    paths = tuple(str(node.value) for node in texts_of(item.get("paths")))
    parsed.append(Silencing(code, reason, item.span, paths=paths, path=item.path))


def _matches(pattern: str, finding: Diagnostic) -> bool:
    """Whether the pattern matches the finding's file or a folder above it."""
    if finding.span is None:
        return False
    parts = finding.span.file.split("/")
    wanted = _pattern(pattern.removeprefix("./").rstrip("/"))
    return any(wanted.fullmatch("/".join(parts[: count + 1])) for count in range(len(parts)))


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """A glob as a regular expression: `*` matches within one folder, `**` across any number of folders."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return re.compile("".join(words.get(part) or re.escape(part) for part in parts))
