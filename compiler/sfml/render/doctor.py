"""The checks of `sfml doctor` as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sfml.account.checkup import Check, CheckState, counted
from sfml.render.symbols import Symbols

_SYMBOLS = {
    CheckState.OK: "SUCCEEDED",
    CheckState.WARN: "risk",
    CheckState.FAIL: "FAILED",
    CheckState.SKIPPED: "never",
    CheckState.UNKNOWN: "unknown",
}


def doctor_text(
    target: str, checks: Sequence[Check], symbols: Symbols, *, failures_only: bool = False
) -> str:
    return "\n".join(_doctor_lines(target, checks, symbols, failures_only))


def _doctor_lines(
    target: str, checks: Sequence[Check], symbols: Symbols, failures_only: bool
) -> Iterator[str]:
    count = counted(checks)
    if count["fail"]:
        head = f"{count['fail']} of {len(checks)} checks failed"
    else:
        head = "ready" + (f", with {count['warn']} warnings" if count["warn"] else "")
        head += f"; {count['unknown']} not known here" if count["unknown"] else ""
    yield f"target {target}: {head}"
    width = max(len(check.name) for check in checks)
    for check in checks:
        if failures_only and check.state is not CheckState.FAIL:
            continue
        first, *rest = check.text.splitlines() or [""]
        yield f"  {symbols[_SYMBOLS[check.state]]} {check.name:<{width}}  {first}"
        yield from (f"    {'':<{width}}  {line}" for line in rest)
        if check.help and check.state in (CheckState.WARN, CheckState.FAIL, CheckState.UNKNOWN):
            yield f"    {'':<{width}}  {symbols['arrow']} {check.help}"


def doctor_json(target: str, checks: Sequence[Check]) -> dict[str, Any]:
    return {
        "target": target,
        "summary": counted(checks),
        "checks": [
            {"name": check.name, "state": check.state.value, "text": check.text, "help": check.help}
            for check in checks
        ],
    }
