"""Places of settings that only pass a variable on: the place where the variable got its value is shown instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from sfml.base.source import Span, source_lines
from sfml.lower.desired import DesiredGraph, DesiredTask
from sfml.spec.model import LoadedSpec
from sfml.spec.origin import variable_spans

_VALUE = re.compile(r"""\s*:\s*["']?\{\{.*?\}\}""")
_VARIABLE = re.compile(r"\bvar\.([A-Za-z_]\w*)")


def with_origins(
    desired: DesiredGraph, loaded: LoadedSpec, overrides: Mapping[str, str], folder: str
) -> DesiredGraph:
    """The graph with the span of the variable's value in place of each setting that only passes a variable on.

    `overrides` are the values of `--var`. `folder` is the project's folder in the
    repository, which is put before the names of files.
    """
    calculates = any("{{" in text and "var." in text for text in loaded.sources.values())
    if not calculates and not folder:
        return desired
    variables = variable_spans(loaded, overrides) if calculates else {}

    def with_spans(task: DesiredTask) -> DesiredTask:
        spans = {name: _origin(span, loaded.sources, variables) for name, span in task.spans.items()}
        return replace(task, spans={name: _below(folder, span) for name, span in spans.items()})

    return replace(
        desired,
        root=with_spans(desired.root),
        tasks=tuple(map(with_spans, desired.tasks)),
        finalizer=with_spans(desired.finalizer) if desired.finalizer else None,
    )


def _below(folder: str, span: Span) -> Span:
    return replace(span, file=folder + span.file) if folder else span


def _origin(span: Span, sources: Mapping[str, str], variables: Mapping[str, Span]) -> Span:
    """The span of the value of the variable that is read at this place; `span` unless exactly one is read."""
    lines = source_lines(sources[span.file]) if span.file in sources else []
    if span.start.line != span.end.line or span.start.line > len(lines):
        return span
    line = lines[span.start.line - 1]
    text = line[span.start.column - 1 : span.end.column - 1]
    if "{{" not in text and (value := _VALUE.match(line[span.end.column - 1 :])):
        text = value[0]  # the span is that of the key
    names = set(_VARIABLE.findall(text)) if "{{" in text else set()
    return variables.get(names.pop(), span) if len(names) == 1 else span
