"""Results of tests as JUnit XML, which CI servers show: a suite a pipeline, a case a test.

There is no standard; this keeps to what https://github.com/testmoapp/junitxml describes as understood everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from sfml.graph_tests.suite import SuiteResult
from sfml.graph_tests.verdict import Verdict
from sfml.render.text import diagnostics_text

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: https://www.w3.org/TR/xml/#charsets"""


def tests_junit(every: Sequence[SuiteResult], sources: Mapping[str, str]) -> str:
    """The document, indented; an undecided test is an error in JUnit's words."""
    root = ElementTree.Element("testsuites", {"name": "sfml", **_counts(every)})
    for tested in every:
        name = f"{tested.pipeline} on {tested.target}"
        suite = ElementTree.SubElement(root, "testsuite", {"name": _clean(name), **_counts([tested])})
        for verdict, seconds in zip(tested.verdicts, tested.seconds, strict=True):
            _add_case(suite, tested, verdict, seconds, sources)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _counts(every: Sequence[SuiteResult]) -> dict[str, str]:
    return {
        "tests": str(sum(len(one.verdicts) for one in every)),
        "failures": str(sum(one.count("failed") for one in every)),
        "errors": str(sum(one.count("undecided") for one in every)),
        "time": f"{sum(sum(one.seconds) for one in every):.3f}",
    }


def _add_case(
    suite: ElementTree.Element,
    tested: SuiteResult,
    verdict: Verdict,
    seconds: float,
    sources: Mapping[str, str],
) -> None:
    span = verdict.test.place.span
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=_clean(verdict.test.name),
        classname=_clean(f"{tested.pipeline}.{tested.target}"),
        file=_clean(span.file),
        line=str(span.start.line),
        time=f"{seconds:.3f}",
    )
    if verdict.findings:
        kind = "error" if verdict.result == "undecided" else "failure"
        message = "; ".join(finding.message for finding in verdict.findings)
        told = ElementTree.SubElement(case, kind, message=_clean(message), type=verdict.findings[0].code)
        told.text = _clean(diagnostics_text(verdict.findings, sources))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
