"""`snowflake.telemetry` and OpenTelemetry's spans in a process of users' code, written for the event table.

Both are imported by few programs and slowly, so nothing happens before a program imports one of them. Uses only the
standard library until then.

https://docs.snowflake.com/en/developer-guide/logging-tracing/tracing-python
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

TELEMETRY, TRACE = "snowflake.telemetry", "opentelemetry.trace"
SPAN = "snow.auto_instrumented"
"""The name of the span around a whole procedure, function or job."""

SNOWPARK = "snow.snowpark"
"""How the names of Snowpark's own tracers begin."""


class Tracing:
    """What one process records: the span around all, and those that the program begins within it.

    It is a finder in `sys.meta_path`, which knows when a program imports one of the two modules. Snowpark imports the
    second for its own spans, so a provider of tracers waits for a program that asks for one.
    """

    def __init__(self, file: Path | None) -> None:
        """`file` gets a line of JSON for each span; without one, nothing is kept."""
        self._file = file
        self._started = time.time_ns()
        self._recorder: Any = None
        self._finish: Callable[[], None] = lambda: None

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in (TRACE, TELEMETRY):
            return None
        found = PathFinder.find_spec(name, path)
        if name == TRACE:
            return None if found is None else after_loading(found, self.provide)
        if found is None:
            return ModuleSpec(name, _Then(_Nothing(), self._stand_in))
        return after_loading(found, lambda module: self._record())

    def provide(self, trace: ModuleType) -> None:
        """Give OpenTelemetry tracers whose spans are kept."""
        if self._file is not None:
            trace.set_tracer_provider(_provider(self.tracer))

    def tracer(self, name: str, *arguments: Any, **options: Any) -> Any:
        """A tracer for a program; Snowpark's own spans are not kept."""
        from opentelemetry.trace import NoOpTracer

        if name.startswith(SNOWPARK):
            return NoOpTracer()
        return self._record().get_tracer(name, *arguments, **options)

    def finish(self) -> None:
        """Write what is recorded; called at the end of the program."""
        finish, self._finish = self._finish, lambda: None
        finish()

    def write(self, span: Mapping[str, Any]) -> None:
        """Keep a span that has ended."""
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(span, default=str) + "\n")

    def _record(self) -> Any:
        """Begin the span around all, unless nothing is kept; returns the provider of tracers below it."""
        if self._recorder is None and self._file is not None:
            from opentelemetry import context, trace
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import SimpleSpanProcessor

            self._recorder = TracerProvider()
            self._recorder.add_span_processor(SimpleSpanProcessor(_exporter(self.write)))
            span = self._recorder.get_tracer("snowflake").start_span(SPAN, start_time=self._started)
            context.attach(trace.set_span_in_context(span))
            self._finish = span.end
        return self._recorder

    def _stand_in(self, module: ModuleType) -> None:
        """The two functions of Snowflake's package, which an account brings and this Python lacks."""
        from opentelemetry.trace import get_current_span

        self._record()

        def add_event(name: str, attributes: Mapping[str, Any] | None = None) -> None:
            """Add an event to the current span."""
            get_current_span().add_event(name, attributes)

        def set_span_attribute(key: str, value: Any) -> None:
            """Set an attribute of the current span."""
            get_current_span().set_attribute(key, value)

        module.add_event = add_event  # type: ignore[attr-defined]
        module.set_span_attribute = set_span_attribute  # type: ignore[attr-defined]


def begin(file: Path | None) -> Tracing:
    """Record from now on, into this file."""
    tracing = Tracing(file)
    sys.meta_path.insert(0, tracing)
    if (trace := sys.modules.get(TRACE)) is not None:
        tracing.provide(trace)
    return tracing


def after_loading(spec: ModuleSpec, then: Callable[[ModuleType], None]) -> ModuleSpec:
    """The same, doing something with the module once it is loaded."""
    if spec.loader is not None:
        spec.loader = _Then(spec.loader, then)
    return spec


class _Nothing(Loader):
    """A module without code."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Then(Loader):
    """A loader that does something with the module once it is loaded."""

    def __init__(self, loader: Any, then: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._then = then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._then(module)


def _provider(tracer: Callable[..., Any]) -> Any:
    from opentelemetry.trace import TracerProvider

    class Provider(TracerProvider):
        def get_tracer(self, instrumenting_module_name: str, *arguments: Any, **options: Any) -> Any:
            return tracer(instrumenting_module_name, *arguments, **options)

    return Provider()


def _exporter(write: Callable[[Mapping[str, Any]], None]) -> Any:
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class Exporter(SpanExporter):
        def export(self, spans: Any) -> Any:
            for span in spans:
                write(_told(span))
            return SpanExportResult.SUCCESS

    return Exporter()


def _told(span: Any) -> dict[str, Any]:
    """A span of OpenTelemetry as the event table needs it."""
    told = {
        "name": span.name,
        "kind": f"SPAN_KIND_{span.kind.name}",
        "trace_id": format(span.context.trace_id, "032x"),
        "span_id": format(span.context.span_id, "016x"),
        "start": span.start_time,
        "end": span.end_time,
        "status": f"STATUS_CODE_{span.status.status_code.name}",
        "attributes": dict(span.attributes or {}),
        "events": [
            {"name": event.name, "time": event.timestamp, "attributes": dict(event.attributes or {})}
            for event in span.events
        ],
    }
    if span.parent is not None:
        told["parent_span_id"] = format(span.parent.span_id, "016x")
    if span.instrumentation_scope is not None:
        told["scope"] = span.instrumentation_scope.name
    return told
