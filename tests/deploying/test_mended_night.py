"""From a failed night to a mended morning: see it, read why, fix, recover, apply, fill in, be told that it is over."""

from __future__ import annotations

import json

from small import APPLY, Small

HERE = "specs/small.yaml"
SPEC = """version: 1
pipeline: small
graph:
  version: 1
  config: {day: '2026-11-29'}
  tasks:
    train: {step: shop.night.train, with: {day: "${config.day}"}}
    score: {step: shop.night.score, after: [train], with: {model: "${train.model}", day: "${config.day}"}}
schedule:
  version: 1
  schedule: {cron: '0 4 * * *', timezone: UTC}
  alerts: {channels: {slack: ML_SLACK}}
"""
STEPS = """from sfml_steps import Context, step


def note(ctx, name):
    ctx.session.sql(f"INSERT INTO NOTES VALUES ('{name}')").collect()


@step
def train(ctx: Context, day: str) -> dict:
    note(ctx, "trained for " + day)
    return {"model": "M" + day}


@step
def score(ctx: Context, model: str, day: str) -> str:
    rows = {}
    note(ctx, "scored " + day)
    return rows[model]
"""


def headlines(small: Small) -> list[str]:
    rows = small.local.sql("SELECT MESSAGE FROM SNOWFLAKE.LOCAL.NOTIFICATIONS ORDER BY NUMBER")
    return [str(row["MESSAGE"]) for row in rows]


def notes(small: Small) -> list[str]:
    rows = small.local.sql(f"SELECT NAME FROM {small.local.database}.SMALL.NOTES")
    return [str(row["NAME"]) for row in rows]


def test_a_night_that_failed_is_mended_in_the_morning(small: Small) -> None:
    (small.folder / "steps" / "shop").mkdir()
    (small.folder / "steps" / "shop" / "__init__.py").touch()
    code_file = small.folder / "steps" / "shop" / "night.py"
    code_file.write_text(STEPS, encoding="utf-8")
    (small.folder / "specs" / "small.yaml").write_text(SPEC, encoding="utf-8")
    told = len(headlines(small))
    assert small.run(*APPLY)[0] == 0
    small.local.sql(f"CREATE TABLE {small.local.database}.SMALL.NOTES (NAME STRING)")

    # The night fails, and somebody is told.
    night = json.loads(small.run("run", HERE, "-o", "json")[1])
    assert night["state"] == "FAILED"
    (alert,) = headlines(small)[told:]
    assert "failed: score: KeyError" in alert

    # The morning: what is wrong, and where.
    code, text = small.run("status", HERE)
    assert code == 1 and "score: KeyError: 'M2026-11-29'" in text
    code, text = small.run("logs", HERE, "score")
    assert "steps/shop/night.py" in text and "rows[model]" in text

    # The fix, and the rest of the night with it: the training is kept.
    code_file.write_text(STEPS.replace("return rows[model]", "return rows.get(model, day)"), encoding="utf-8")
    code, text = small.run("run", HERE, "--recover", "last")
    assert code == 0 and "reused: succeeded in" in text, text
    assert notes(small) == ["trained for 2026-11-29", "scored 2026-11-29", "scored 2026-11-29"]
    assert "recovered: it failed" in headlines(small)[-1] and len(headlines(small)) == told + 2
    assert small.run("status", HERE)[0] == 0

    # From now on with the mended code, and the two days before.
    assert small.run(*APPLY)[0] == 0
    code, text = small.run("backfill", HERE, "--over", "day=2026-11-27..2026-11-28")
    assert code == 0 and "2 values: 2 succeeded" in text, text
    assert notes(small)[3:] == [
        f"{what} 2026-11-{day}" for day in (27, 28) for what in ("trained for", "scored")
    ]
    assert len(headlines(small)) == told + 2, "a backfill tells nobody"
