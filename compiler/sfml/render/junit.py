"""Results of graph tests as JUnit XML, which CI servers show: one suite for each pipeline, one case for each test.

There is no standard. This writes only elements that https://github.com/testmoapp/junitxml describes as common.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from sfml.graph_tests.suite import SuiteResult
from sfml.graph_tests.verdict import Verdict
from sfml.render.text import diagnostics_text

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 forbids even as references. Source: https://www.w3.org/TR/xml/#charsets"""


def tests_junit(results: Sequence[SuiteResult], sources: Mapping[str, str]) -> str:
    """The indented XML document. An undecided test is reported as JUnit's `error`, a failed one as `failure`.

    `sources` maps files to their texts.
    """
    root = ElementTree.Element("testsuites", {"name": "sfml", **_counts(results)})
    for result in results:
        name = f"{result.pipeline} on {result.target}"
        suite = ElementTree.SubElement(root, "testsuite", {"name": cleaned(name), **_counts([result])})
        for verdict, seconds in zip(result.verdicts, result.seconds, strict=True):
            _add_case(suite, result, verdict, seconds, sources)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _counts(results: Sequence[SuiteResult]) -> dict[str, str]:
    return {
        "tests": str(sum(len(result.verdicts) for result in results)),
        "failures": str(sum(result.count("failed") for result in results)),
        "errors": str(sum(result.count("undecided") for result in results)),
        "time": f"{sum(sum(result.seconds) for result in results):.3f}",
    }


def _add_case(
    suite: ElementTree.Element,
    result: SuiteResult,
    verdict: Verdict,
    seconds: float,
    sources: Mapping[str, str],
) -> None:
    span = verdict.test.place.span
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=cleaned(verdict.test.name),
        classname=cleaned(f"{result.pipeline}.{result.target}"),
        file=cleaned(span.file),
        line=str(span.start.line),
        time=f"{seconds:.3f}",
    )
    if verdict.findings:
        kind = "error" if verdict.result == "undecided" else "failure"
        message = "; ".join(finding.message for finding in verdict.findings)
        outcome = ElementTree.SubElement(case, kind, message=cleaned(message), type=verdict.findings[0].code)
        outcome.text = cleaned(diagnostics_text(verdict.findings, sources))


def cleaned(text: str) -> str:
    """The text with a replacement for what XML forbids."""
    return _NOT_XML.sub("\ufffd", text)
