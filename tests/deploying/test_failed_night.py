"""From a failed night to a mended morning: told, looked at, mended, recovered, filled in, and told again."""

from __future__ import annotations

from small import APPLY, Small
from test_alerts import Outbox

SPEC = """version: 1
pipeline: small
graph:
  version: 1
  config: {day: '2026-11-28'}
  tasks:
    load: {sql: 'select 1'}
    report: {step: own.report.write, after: [load], with: {day: '${config.day}'}}
schedule:
  version: 1
  schedule: {cron: '0 4 * * *', timezone: UTC}
  alerts: {channels: {slack: ML_SLACK}}
"""
STEP = """from sfml_steps import Context, step

@step
def write(ctx: Context, day: str) -> dict[str, object]:
    rows = 3
    return {"summary": f"{day}: {rows} rows", "mean": rows / 0}
"""


def test_a_failed_night_and_a_mended_morning(small: Small) -> None:
    (small.folder / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    code_file = small.folder / "steps" / "own" / "report.py"
    code_file.parent.mkdir()
    (code_file.parent / "__init__.py").write_text("", encoding="utf-8")
    code_file.write_text(STEP, encoding="utf-8")
    outbox = Outbox(small)
    assert small.run(*APPLY)[0] == 0

    # The night: the run fails, and the channel is told once.
    assert small.run("run", "small")[0] == 1
    assert outbox.headlines() == ["ML_SLACK: failed: report: ZeroDivisionError: division by zero"]

    # The morning: what is wrong, and why.
    code, text = small.run("status", "small")
    assert code == 1 and "report: ZeroDivisionError: division by zero" in text and "sfml logs" in text, text
    _, text = small.run("logs", "small", "report")
    assert "steps/own/report.py" in text and "rows / 0" in text, text

    # Mended, and recovered without loading again; told so.
    code_file.write_text(STEP.replace("rows / 0", "rows / 3"), encoding="utf-8")
    code, text = small.run("run", "small", "--recover", "last", "--auto-approve")
    assert code == 0 and "= load" in text and "3 rows" in text, text
    (told,) = outbox.headlines()
    assert told.startswith("ML_SLACK: recovered: it failed, since ")
    assert small.run("status", "small")[0] == 0

    # Deployed, and the days that were missed filled in; a value of the past tells nobody.
    assert small.run(*APPLY)[0] == 0
    code, text = small.run("backfill", "small", "--over", "day=2026-11-26..2026-11-27")
    assert code == 0 and "2 values: 2 succeeded" in text, text
    assert outbox.new() == []
    assert small.run("run", "small")[0] == 0 and outbox.new() == []
