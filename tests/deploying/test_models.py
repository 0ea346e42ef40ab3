"""Versions of a spec's models: listed, promoted, put back. The client reads annotations, which must not be texts."""

import json
import warnings

import pandas as pd
from jsonschema import Draft202012Validator
from small import Small
from snowflake.ml.model import custom_model
from snowflake.ml.registry import Registry

from sfml.base.resources import schema

STEP = "from sfml_steps import Context, step\n\n\n@step\ndef score(ctx: Context, model_name: str) -> None:\n    pass\n"


class One(custom_model.CustomModel):
    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"Y": input_df["X"]})


def logged(small: Small, *versions: str) -> None:
    session = small.local.session(schema="SMALL")
    registry = Registry(session, options={"enable_monitoring": False})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for at, version in enumerate(versions):
            registry.log_model(
                One(custom_model.ModelContext()),
                model_name="SCORER",
                version_name=version,
                metrics={"spearman": 0.4 + at / 10},
                sample_input_data=pd.DataFrame({"X": [1.0]}),
                target_platforms=["WAREHOUSE"],
                options={"enable_explainability": False},
            )


def told(small: Small, *arguments: str) -> tuple[int, dict[str, object]]:
    code, text = small.run("models", *arguments, "-o", "json")
    value = json.loads(text)
    if code == 0:
        Draft202012Validator(schema("output/models.schema.json")).validate(value)
    return code, value


def test_versions_are_listed_promoted_and_put_back(small: Small) -> None:
    code, text = small.run("models", "list", "specs/small.yaml")
    assert code == 2 and "no step of small has an argument `model_name`" in text
    (small.folder / "steps" / "own").mkdir()
    (small.folder / "steps" / "own" / "__init__.py").write_text("")
    (small.folder / "steps" / "own" / "work.py").write_text(STEP)
    small.edit(
        "second: {sql: 'select 2'", "second: {step: own.work.score, with: {model_name: '${config.model}'}"
    )
    small.edit("  tasks:\n", "  config: {model: SCORER}\n  tasks:\n")
    assert small.run("apply", "specs/small.yaml", "--auto-approve")[0] == 0
    assert "SCORER: not in the registry" in small.run("models", "list", "specs/small.yaml")[1]
    code, text = small.run("models", "promote", "specs/small.yaml", "V1", "--auto-approve")
    assert code == 1 and "SCORER is not in the registry" in text

    logged(small, "V1", "V2", "V3")
    code, text = small.run("models", "list", "specs/small.yaml")
    assert code == 0 and text.startswith("SCORER: 3 versions\n") and "spearman 0.6" in text
    code, value = told(small, "promote", "specs/small.yaml", "v3", "--auto-approve")
    assert code == 0 and (value["previous"], value["default"]) == ("V1", "V3")
    assert told(small, "promote", "specs/small.yaml", "V3", "--auto-approve")[1]["changed"] is False
    code, text = small.run("models", "promote", "specs/small.yaml", "V4", "--auto-approve")
    assert code == 2 and "there is no version V4" in text
    code, text = small.run("models", "rollback", "specs/small.yaml")
    assert code == 2 and "no terminal to ask" in text
    code, text = small.run("models", "rollback", "specs/small.yaml", "--auto-approve")
    assert code == 0 and text == "The default version of SCORER is V2 (it was V3).\n"
    (model,) = told(small, "list", "specs/small.yaml")[1]["models"]  # type: ignore[misc]
    assert [(one["version"], one["default"]) for one in model["versions"]] == [
        *(("V3", False), ("V2", True), ("V1", False)),
    ]
    assert small.run("models", "rollback", "specs/small.yaml", "--auto-approve")[0] == 0
    code, text = small.run("models", "rollback", "specs/small.yaml", "--auto-approve")
    assert code == 1 and "no version is older than the default one" in text
