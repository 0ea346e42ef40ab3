"""The policies of a project: what `sfml.yaml` says, the preset, and the files of the policies' folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType

from sfml.base.diagnostic import MAX_FINDINGS, Diagnostic, Label, by_position, did_you_mean, first_of
from sfml.base.record import record
from sfml.base.source import Span, is_yaml
from sfml.graph.durations import in_words, seconds
from sfml.policies.model import (
    DEFAULT,
    FOLDER,
    MODES,
    PRESETS,
    Policy,
    PolicySet,
    PolicySettings,
    PolicyTest,
)
from sfml.policies.python_policies import python_policies
from sfml.policies.yaml_policies import severity_of, unknown_targets, yaml_policies
from sfml.spec.nodes import MapNode, Node, entries_of, map_of, plain, text_of

MAX_FILES = 1_000
MAX_BYTES = 5_000_000
"""The most files of a folder of policies, and their size together."""
MAX_SECONDS = 300
_LEFT_OUT = ("__pycache__",)
_PRESETS = Path(__file__).with_name("presets.yaml")


@record
class Folder:
    """The files below the policies' folder, by path in the project; `problem` says why they could not be read."""

    files: Mapping[str, bytes]
    problem: str | None = None


def settings_of(document: MapNode, targets: tuple[str, ...]) -> tuple[PolicySettings, tuple[Diagnostic, ...]]:
    """What `policies` of a project file of the right shape says, and the findings about it."""
    node = document.get("policies")
    section = map_of(node)
    at = document.key_spans.get("policies")
    if section is None:
        return PolicySettings(span=at), ()
    findings: list[Diagnostic] = []
    severity = {}
    for code, _, value in entries_of(section.get("severity")):
        severity[code] = severity_of(value)
        findings.extend(unknown_targets(value, targets))
    folder = text_of(section.get("folder")) or FOLDER
    clean = os.path.normpath(folder).replace(os.sep, "/")
    if clean in (".", "..") or clean.startswith(("../", "/")) or Path(clean).is_absolute():
        where = section.entries["folder"]
        message = f"`{folder}` is not a folder inside the project"
        findings.append(Diagnostic.error("SF121", message, at=where.span, path=where.path))
        clean = FOLDER
    limit = _limit(section.get("timeout"), findings)
    preset = text_of(section.get("preset"))
    return (
        PolicySettings(
            folder=clean,
            preset=preset,
            python=plain(section.entries["python"]) is True if "python" in section.entries else False,
            severity=MappingProxyType(severity),
            seconds=limit,
            span=at,
        ),
        tuple(findings),
    )


def _limit(node: Node | None, findings: list[Diagnostic]) -> float:
    default = PolicySettings().seconds
    text = text_of(node)
    if node is None or text is None:
        return default
    limit = seconds(text)
    if limit is None or not 0 < limit <= MAX_SECONDS:
        message = f"`{text}` is not a duration from 1 second to {in_words(MAX_SECONDS)}"
        findings.append(Diagnostic.error("SF530", message, at=node.span, path=node.path))
        return default
    return float(limit)


def may_hold_policies(file: str) -> bool:
    """Whether a file of the folder holds policies, or their tests, as its name ends."""
    return is_yaml(file) or file.endswith(".py")


def folder_on_disk(root: Path, folder: str) -> Folder:
    """The files of the policies' folder; hidden ones and caches are left out. Links are followed inside the project."""
    files: dict[str, bytes] = {}
    total = 0
    for path in _paths_below(root / folder):
        shown = path.relative_to(root).as_posix()
        try:
            status = path.stat()
            is_folder, is_file = stat.S_ISDIR(status.st_mode), stat.S_ISREG(status.st_mode)
            if not path.resolve(strict=True).is_relative_to(root.resolve()):
                if is_folder or may_hold_policies(
                    path.name
                ):  # policies that are not read would hold for nobody
                    return Folder({}, f"`{shown}` is a link that leads out of the project")
                continue
            if not is_file:
                continue
            total += status.st_size
            if len(files) >= MAX_FILES or total > MAX_BYTES:
                return Folder({}, f"`{folder}` holds more than {MAX_FILES:,} files or 5 MB")
            files[shown] = path.read_bytes()
        except OSError as cause:
            return Folder({}, f"`{shown}` cannot be read: {cause.strerror}")
    return Folder(files)


def _paths_below(top: Path) -> Iterator[Path]:
    """The links to folders, then the files of a folder and of those below it, also of linked ones, each folder once."""
    seen: set[Path] = set()
    if top.is_symlink():
        yield top
    for place, folders, names in os.walk(top, followlinks=True):
        here = Path(place)
        if here.resolve() in seen:
            folders.clear()
            continue
        seen.add(here.resolve())
        folders[:] = sorted(name for name in folders if not _is_left_out(name))
        yield from (here / name for name in folders if (here / name).is_symlink())
        yield from (
            here / name for name in sorted(names) if not (_is_left_out(name) or name.endswith(".pyc"))
        )


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name in _LEFT_OUT


def policy_set(document: MapNode, targets: tuple[str, ...], folder: Folder) -> PolicySet:
    """The policies of a project whose file is `document`; with findings about all that is wrong with them."""
    return _read(_Key(document, targets), tuple(folder.files.items()), folder.problem)


def policies_on_disk(root: Path, document: MapNode, targets: tuple[str, ...]) -> PolicySet:
    """The policies of the project at `root`, whose folder is read anew."""
    settings, _ = settings_of(document, targets)
    return policy_set(document, targets, folder_on_disk(root, settings.folder))


def codes_of(root: Path, document: MapNode, targets: tuple[str, ...]) -> frozenset[str]:
    """The codes of the project's policies."""
    return policies_on_disk(root, document, targets).codes


class _Key:
    """A document as a key of a cache: by identity, because all pipelines of a project share it."""

    def __init__(self, document: MapNode, targets: tuple[str, ...]) -> None:
        self.document, self.targets = document, targets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.document is other.document and self.targets == other.targets

    def __hash__(self) -> int:
        return id(self.document)


@lru_cache(maxsize=8)
def _read(key: _Key, files: tuple[tuple[str, bytes], ...], problem: str | None) -> PolicySet:
    settings, problems = settings_of(key.document, key.targets)
    findings = list(problems)
    policies: list[Policy] = list(preset_policies(settings.preset))
    tests: list[PolicyTest] = []
    sources: dict[str, str] = {}
    if problem is not None:
        findings.append(Diagnostic.error("SF530", problem, at=settings.span, path="policies.folder"))
    section = map_of(key.document.get("policies"))
    named = section.get("folder") if section is not None else None
    if named is not None and not files and problem is None:
        message = f"the folder `{settings.folder}` holds no policies"
        findings.append(Diagnostic.error("SF121", message, at=named.span, path=named.path))
    for file, content in files:
        if not may_hold_policies(file):
            continue
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            findings.append(Diagnostic.error("SF103", f"`{file}` is not UTF-8", at=Span.whole(file)))
            continue
        sources[file] = text
        if file.endswith(".py"):
            found = python_policies(text, file, module_name(file, settings.folder))
            policies += found.policies
            findings += found.findings
        else:
            written = yaml_policies(text, file)
            policies += written.policies
            tests += written.tests
            findings += written.findings
    policies = list(_unique(policies, findings))
    findings += _unknown_codes(key.document, policies)
    findings += _severities(policies, key.targets)
    findings += _tests_of_nothing(tests, policies)
    return PolicySet(
        settings,
        tuple(policies),
        tuple(first_of(iter(by_position(findings)), MAX_FINDINGS)),
        MappingProxyType(sources),
        MappingProxyType(dict(files)),
        tuple(tests),
    )


def module_name(file: str, folder: str) -> str:
    return file.removeprefix(f"{folder}/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def every_preset() -> Mapping[str, tuple[Policy, ...]]:
    """Preset → its own policies, without those of the presets before it."""
    read = yaml_policies(_PRESETS.read_text(encoding="utf-8"), "presets.yaml")
    assert not read.findings, read.findings
    by_digit = dict(zip("123", PRESETS, strict=True))
    found: dict[str, tuple[Policy, ...]] = dict.fromkeys(PRESETS, ())
    for policy in read.policies:
        name = by_digit[policy.code[3]]
        found[name] = (*found[name], replace(policy, origin=f"preset {name}", span=None))
    return found


def preset_policies(name: str | None) -> Iterator[Policy]:
    """The policies of a preset and of those before it; none without a name."""
    if name in PRESETS:
        for preset in PRESETS[: PRESETS.index(name) + 1]:
            yield from every_preset()[preset]


def _unique(policies: Iterable[Policy], findings: list[Diagnostic]) -> Iterator[Policy]:
    first: dict[str, Policy] = {}
    for policy in policies:
        other = first.setdefault(policy.code, policy)
        if other is policy:
            yield policy
            continue
        labels = (Label(other.span, "first defined here"),) if other.span is not None else ()
        message = f"`{policy.code}` is the code of two policies"
        help = None if labels else f"`{policy.code}` belongs to {other.origin}; choose another code"
        findings.append(Diagnostic.error("SF531", message, at=policy.span, labels=labels, help=help))


def _unknown_codes(document: MapNode, policies: Iterable[Policy]) -> Iterator[Diagnostic]:
    """The findings for codes in the project file's `policies.severity` that no policy has."""
    known = [policy.code for policy in policies]
    section = map_of(document.get("policies"))
    for code, at, value in entries_of(section.get("severity") if section is not None else None):
        if code not in known:
            help = did_you_mean(code, known) or "`sfml policies list` lists them"
            message = f"there is no policy `{code}`"
            yield Diagnostic.error("SF532", message, at=at, path=value.path, help=help)


def _severities(policies: Iterable[Policy], targets: tuple[str, ...]) -> Iterator[Diagnostic]:
    """The findings for keys in the policies' own severities that are neither targets nor modes."""
    known = (*targets, *MODES, DEFAULT)
    for policy in policies:
        for key in policy.severity:
            if key not in known and policy.span is not None:
                message = (
                    f"the severity of `{policy.code}` names `{key}`, which is neither a target nor a mode"
                )
                help = did_you_mean(key, known) or f"write one of {', '.join(f'`{one}`' for one in known)}"
                yield Diagnostic.error("SF530", message, at=policy.span, help=help)


def _tests_of_nothing(tests: Iterable[PolicyTest], policies: Iterable[Policy]) -> Iterator[Diagnostic]:
    known = [policy.code for policy in policies]
    for test in tests:
        if test.code not in known:
            help = did_you_mean(test.code, known)
            message = f"the test `{test.name}` is for `{test.code}`, which is no policy"
            yield Diagnostic.error("SF532", message, at=test.span, help=help)
