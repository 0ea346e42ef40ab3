"""Versions of a spec's models: listed, promoted, put back. The client reads annotations, which must not be texts."""

import json
import warnings

import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from small import Small
from snowflake.ml.model import custom_model
from snowflake.ml.registry import Registry

import sfml
from sfml.base.errors import ConflictingState, UsageError
from sfml.base.resources import schema
from sfml.operations.models import RegisteredModel, promote
from sfml.snowflake.registry import set_default
from sfml_local.services.models import store

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


LOGGED: dict[str, bytes] = {}
"""By their paths, the files of the first version that the registry's client logged for `copied` in this process."""


def copied(small: Small, *versions: str) -> None:
    """Versions without the registry's client, which needs seconds for each: copies of one that it logged."""
    small.local.sql(f"CREATE SCHEMA IF NOT EXISTS {small.local.database}.SMALL")
    if LOGGED:
        log_again(small, versions[0])
    else:
        logged(small, versions[0])
        account = small.local.server.account
        (folder,) = (account.models_folder / name for name in store.folders(account.store))
        files = (file for file in folder.rglob("*") if file.is_file())
        LOGGED.update({file.relative_to(folder).as_posix(): file.read_bytes() for file in files})
    model = f"{small.local.database}.SMALL.SCORER"
    for at, version in enumerate(versions[1:], 1):
        add_copy(small, version, (4 + at) / 10)
    assert len(small.local.sql(f"SHOW VERSIONS IN MODEL {model}")) == len(versions)


def log_again(small: Small, version: str) -> None:
    """The first version of a model, with the statements of the registry's client and the files that it wrote."""
    schema, account = f"{small.local.database}.SMALL", small.local.server.account
    small.local.sql(f"CREATE STAGE {schema}.LOGGED")
    (stage,) = account.store.rows("SELECT folder FROM stages WHERE name = 'LOGGED'")
    for path, content in LOGGED.items():
        file = account.stages_folder / stage["folder"] / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    small.local.sql(f"CREATE MODEL {schema}.SCORER WITH VERSION {version} FROM @{schema}.LOGGED")
    small.local.sql(f"DROP STAGE {schema}.LOGGED")
    measure(small, version, 0.4)


def add_copy(small: Small, version: str, spearman: float) -> None:
    model = f"{small.local.database}.SMALL.SCORER"
    small.local.sql(f"ALTER MODEL {model} ADD VERSION {version} FROM MODEL {model} VERSION V1")
    measure(small, version, spearman)


def measure(small: Small, version: str, spearman: float) -> None:
    model = f"{small.local.database}.SMALL.SCORER"
    metadata = json.dumps({"metrics": {"spearman": spearman}, "snowpark_ml_schema_version": "2024-01-01"})
    small.local.sql(f"ALTER MODEL {model} MODIFY VERSION {version} SET METADATA = '{metadata}'")


def told(small: Small, *arguments: str) -> tuple[int, dict[str, object]]:
    code, text = small.run("models", *arguments, "-o", "json")
    value = json.loads(text)
    if code == 0:
        Draft202012Validator(schema("output/models.schema.json")).validate(value)
    else:
        print(text)
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
    assert f"SHOW MODELS IN SCHEMA {small.local.database}.SMALL" in text

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
    assert code == 0 and text == "The default version of SCORER is V1 (it was V3).\n", "V2 never served"
    (model,) = told(small, "list", "specs/small.yaml")[1]["models"]  # type: ignore[misc]
    assert [(one["version"], one["default"]) for one in model["versions"]] == [
        *(("V3", False), ("V2", False), ("V1", True)),
    ]
    code, text = small.run("models", "rollback", "specs/small.yaml", "--auto-approve")
    assert code == 1 and "no version is older than the default one" in text


SCORER = ("specs/small.yaml", "--model", "SCORER")
YES = "--auto-approve"


def test_metrics_that_are_no_numbers_are_shown_and_never_break_the_json(small: Small) -> None:
    copied(small, "V1", "V2", "V3", "V4")
    model = f"{small.local.database}.SMALL.SCORER"
    for version, metadata in (
        ("V2", '{"metrics": {"spearman": NaN, "most": Infinity}}'),
        ("V3", '{"metrics": {"verdict": "good", "confusion": [[1, 2], [3, 4]]}}'),
        ("V4", '{"metrics": ["no mapping"]}'),
    ):
        small.local.sql(f"ALTER MODEL {model} MODIFY VERSION {version} SET METADATA = '{metadata}'")
    for words in (("list",), ("show", "V2"), ("compare", "V1", "V2")):
        code, text = small.run("models", words[0], *SCORER, *words[1:], "-o", "json")
        assert code == 0 and "NaN" not in text and "Infinity" not in text
        Draft202012Validator(schema("output/models.schema.json")).validate(json.loads(text))
    text = small.run("models", "compare", *SCORER, "V1", "V2")[1]
    assert text.splitlines()[-1].split() == ["spearman", "0.4", "nan", "?"]
    text = small.run("models", "show", *SCORER, "V3")[1]
    assert "verdict     good" in text and "confusion   [[1, 2], [3, 4]]" in text
    text = small.run("models", "compare", *SCORER, "V3", "V4")[1]
    assert "none is a number" in text
    assert small.run("models", "show", *SCORER, "V4")[0] == 0


def test_a_bad_version_is_left_with_its_reason_and_never_gone_back_to(small: Small) -> None:
    copied(small, "V1", "V2", "V3")
    for version in ("V2", "V3"):
        assert told(small, "promote", *SCORER, version, YES, "--reason", f"{version} is better")[0] == 0
    code, value = told(small, "rollback", *SCORER, YES, "--reason", "it's \\ 'worse'\u202e")
    assert code == 0 and (value["default"], value["reason"]) == ("V2", "it's \\ 'worse'\u202e")
    add_copy(small, "V4", 0.7)
    assert told(small, "promote", *SCORER, "last", YES)[1]["default"] == "V4"
    assert told(small, "rollback", *SCORER, YES)[1]["default"] == "V2", "not V3, which was left"
    assert told(small, "rollback", *SCORER, YES)[1]["default"] == "V1"

    code, value = told(small, "show", *SCORER, "V3")
    shown = value["version"]
    assert isinstance(shown, dict) and shown["metrics"] == {"spearman": 0.6}
    assert [(one["action"], one["other"], one["reason"]) for one in shown["changes"]] == [
        ("promoted", "V2", "V3 is better"),
        ("left", "V2", "it's \\ 'worse'\u202e"),
    ]
    code, text = small.run("models", "show", *SCORER, "V3")
    assert code == 0 and "rolled back by" in text and "\u202e" not in text and "\\u202e" in text
    registry = Registry(small.local.session(schema="SMALL"), options={"enable_monitoring": False})
    registry.get_model("SCORER").version("V3").set_metric("auc", 0.9)
    assert registry.get_model("SCORER").version("V3").show_metrics() == {"spearman": 0.6, "auc": 0.9}
    kept = told(small, "show", *SCORER, "V3")[1]["version"]
    assert isinstance(kept, dict) and len(kept["changes"]) == 2, "the client keeps what it does not know"


def test_champion_and_challenger_are_compared_and_change_places(small: Small) -> None:
    copied(small, "V1", "V2")
    code, value = told(small, "compare", *SCORER)
    assert code == 0
    assert [one["version"] for one in value["compared"]] == ["V1", "V2"]  # type: ignore[index]
    (metric,) = value["metrics"]  # type: ignore[misc]
    assert metric["values"] == [0.4, 0.5] and metric["difference"] == pytest.approx(0.1)
    assert told(small, "alias", *SCORER, "champion", "default")[1]["version"] == "V1"
    assert told(small, "alias", *SCORER, "challenger", "V2", "--reason", "try it")[1]["previous"] is None
    add_copy(small, "V3", 0.6)
    code, text = small.run("models", "alias", *SCORER, "challenger", "V3")
    assert code == 2 and "no terminal to ask" in text, "it would be taken away from V2"
    code, text = small.run("models", "compare", *SCORER)
    assert code == 0 and "V1 (default, champion)  V2 (challenger)  difference" in text and "+0.1" in text

    code, value = told(small, "promote", *SCORER, "challenger", YES)
    assert (value["previous"], value["default"]) == ("V1", "V2")
    (model,) = told(small, "list", *SCORER)[1]["models"]  # type: ignore[misc]
    own = {one["version"]: {*one["aliases"]} & {"CHAMPION", "CHALLENGER"} for one in model["versions"]}
    assert own == {"V1": set(), "V2": {"CHAMPION"}, "V3": set()}
    assert told(small, "alias", *SCORER, "champion", "--remove", YES)[1]["version"] is None
    assert told(small, "alias", *SCORER, "champion", "--remove", YES)[1]["changed"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("alias", *SCORER, "last", "V1"), "cannot be assigned as an alias"),
        (("alias", *SCORER, "v2", "V1"), "is the name of a version"),
        (("alias", *SCORER, "x"), "name the version that gets the alias, or give --remove"),
        (("alias", *SCORER, "x", "V1", "--remove"), "and not both"),
        (("compare", *SCORER, "V1"), "there is nothing to compare V1 with"),
        (("compare", *SCORER, "V1", "v1"), "there is nothing to compare V1 with"),
        (("show", *SCORER, "challengr"), "there is no version challengr"),
        (("promote", *SCORER, "V2", YES, "--reason", " "), "the reason is empty"),
        (("rollback", *SCORER, YES, "--reason", "x" * 1001), "1001 characters"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_changes(
    small: Small, arguments: tuple[str, ...], words: str
) -> None:
    copied(small, "V1", "V2")
    before = told(small, "list", *SCORER)
    code, text = small.run("models", *arguments)
    assert code == 2 and words in text
    assert told(small, "list", *SCORER) == before


def test_a_challenger_that_never_served_is_not_gone_back_to(small: Small) -> None:
    copied(small, "V1", "V2", "V3")
    assert told(small, "alias", *SCORER, "challenger", "V2")[0] == 0
    assert told(small, "promote", *SCORER, "V3", YES)[0] == 0
    assert told(small, "rollback", *SCORER, YES)[1]["default"] == "V1"


def test_models_change_from_python(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    copied(small, "V1", "V2", "V3")
    monkeypatch.chdir(small.folder)
    with sfml.open(".").pipeline("small").connect() as account:
        with pytest.raises(UsageError, match="Make V2 the default version of SCORER"):
            account.promote("V2", model="SCORER")
        assert account.promote("V2", model="SCORER", reason="r", approve=True).is_changed
        assert account.set_alias("candidate", "V3", model="SCORER").version == "V3"
        models = account.models("SCORER")
        assert models.version("SCORER", "candidate") == models["SCORER"][2]
        assert [one.values for one in models.compare("SCORER", "V1", "V3")] == [(0.4, 0.6)]
        assert account.rollback_model(model="SCORER", approve=True).default == "V1"


def test_a_default_that_changes_during_the_approval_stays(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(small, "V1", "V2", "V3")
    monkeypatch.chdir(small.folder)
    with sfml.open(".").pipeline("small").connect() as account:
        target = account._opened.desired.target
        model = RegisteredModel(account.connection, target, "SCORER", "ada")

        def meanwhile(question: str) -> None:
            set_default(account.connection, target, "SCORER", "V3")

        with pytest.raises(ConflictingState, match="has become V3 meanwhile; nothing was changed"):
            promote(model, "V2", reason=None, approve=meanwhile)
        default = account.models("SCORER").default("SCORER")
        assert default is not None and default.name == "V3" and not default.changes
