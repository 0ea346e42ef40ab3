"""Every kind of candidate becomes a version that a warehouse runs, on a real local Snowflake."""

from __future__ import annotations

import importlib
import io
import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy
import pandas
import pytest
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session

from sfml_local.http.app import LocalServer
from sfml_steps import Context, StepError
from sfml_steps.cleanup import superfluous
from sfml_steps.files import StageFiles
from sfml_steps.gate import compare_with_champion
from sfml_steps.models import LOADERS, Format, loaded, pickled, root_of
from sfml_steps.registry import Candidate, promote_model
from sfml_steps.versions import versions_of

pytestmark = pytest.mark.filterwarnings("ignore")

INPUTS = pandas.DataFrame(
    {"AGE": numpy.arange(40.0), "SPEND": numpy.arange(40.0)[::-1] % 7}, columns=["AGE", "SPEND"]
)
SPENT = INPUTS["AGE"] * 2 + INPUTS["SPEND"]
TEXTS = (".yml", ".txt")
IS_OLD = (INPUTS["AGE"] > 20).astype(int)

# A custom model of step code: it has a model and a file, and calls a function of the module beside it.
BLEND = """
import json
from pathlib import Path
import pandas as pd
from snowflake.ml.model import custom_model
from blending.sums import total

class Blend(custom_model.CustomModel):
    def __init__(self, context):
        super().__init__(context)
        self.offset = json.loads(Path(self.context["settings"]).read_text())["offset"]

    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"Y": total(self.context["inner"].predict(input_df), self.offset)})
"""
SUMS = """
def total(left, right):
    return left + right
"""


@pytest.fixture(scope="module")
def account(server: LocalServer) -> Iterator[Session]:
    with Session.builder.configs(server.connect_args()).create() as session:
        session.sql("CREATE SCHEMA CANDIDATES").collect()
        session.use_schema("CANDIDATES")
        session.sql("CREATE STAGE SFML").collect()
        yield session


@pytest.fixture
def ctx(account: Session) -> Context:
    return Context.for_test(
        session=account, files=StageFiles(account), stage="@SFML.CANDIDATES.SFML", pipeline="p", task="train"
    )


def frame_rows() -> bytes:
    return INPUTS.head(5).to_json(orient="records").encode()


def candidate_of(ctx: Context, content: bytes, format: Format, rows: bytes | None = None) -> Candidate:
    return {
        "model": ctx.write_file("model", content),
        "format": format,
        "sample": ctx.write_file("sample.json", rows or frame_rows()),
    }


def promoted(ctx: Context, candidate: Candidate, name: str) -> Any:
    """Promote a candidate and return the version."""
    promotion = promote_model(ctx, candidate, name)
    version = Registry(ctx.session, options={"enable_monitoring": False}).get_model(name).default
    assert version.version_name == promotion["version"]
    return version


def predicted(version: Any, function: str = "predict") -> list[float]:
    """What the version predicts in the warehouse, in its last column."""
    frame = version.run(INPUTS.head(5), function_name=function)
    return [float(value) for value in frame.iloc[:, -1]]


def test_formats_are_those_that_are_annotated() -> None:
    assert get_args(Format) == tuple(LOADERS)


def test_a_classifier_of_xgboost_stays_one(ctx: Context, tmp_path: Path) -> None:
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(INPUTS, IS_OLD)
    model.save_model(tmp_path / "model.json")
    candidate = candidate_of(ctx, (tmp_path / "model.json").read_bytes(), "xgboost")
    candidate["options"] = {"target_methods": ["predict_proba"]}
    candidate["metrics"] = {"accuracy": 1.0}
    version = promoted(ctx, candidate, "XGB_CLASSIFIER")
    assert predicted(version, "predict_proba") == pytest.approx(
        model.predict_proba(INPUTS.head(5))[:, 1].tolist(), rel=1e-5
    )
    assert version.show_metrics() == {"accuracy": 1.0}


def test_a_booster_of_lightgbm(ctx: Context) -> None:
    lightgbm = pytest.importorskip("lightgbm", exc_type=ImportError)
    booster = lightgbm.train(
        {"min_data_in_leaf": 2, "verbosity": -1}, lightgbm.Dataset(INPUTS, SPENT), num_boost_round=3
    )
    candidate = candidate_of(ctx, booster.model_to_string().encode(), "lightgbm")
    assert predicted(promoted(ctx, candidate, "LGBM")) == pytest.approx(
        booster.predict(INPUTS.head(5)).tolist(), rel=1e-5
    )


def test_a_pipeline_of_scikit_learn(ctx: Context) -> None:
    import joblib
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LinearRegression()).fit(INPUTS, SPENT)
    dumped = io.BytesIO()
    joblib.dump(model, dumped)
    version = promoted(ctx, candidate_of(ctx, dumped.getvalue(), "sklearn"), "SKLEARN")
    assert predicted(version) == pytest.approx(SPENT.head(5).tolist())
    assert version.show_metrics() == {}


def test_catboost(ctx: Context, tmp_path: Path) -> None:
    catboost = pytest.importorskip("catboost", exc_type=ImportError)
    model = catboost.CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False)
    model.fit(INPUTS, IS_OLD).save_model(str(tmp_path / "model.cbm"))
    candidate = candidate_of(ctx, (tmp_path / "model.cbm").read_bytes(), "catboost")
    version = promoted(ctx, candidate, "CATBOOST")
    assert predicted(version, "predict_proba") == pytest.approx(
        model.predict_proba(INPUTS.head(5))[:, 1].tolist()
    )


def test_keras(ctx: Context, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", exc_type=ImportError)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    rows = json.dumps(INPUTS.head(5).to_numpy().tolist()).encode()
    candidate = candidate_of(ctx, (tmp_path / "model.keras").read_bytes(), "keras", rows)
    promoted(ctx, candidate, "KERAS")


def test_torchscript(ctx: Context) -> None:
    torch = pytest.importorskip("torch", exc_type=ImportError)
    content = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 1)), content)
    rows = json.dumps(INPUTS.head(5).to_numpy().tolist()).encode()
    promoted(ctx, candidate_of(ctx, content.getvalue(), "torchscript", rows), "TORCHSCRIPT")


@pytest.fixture
def custom_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bytes]]:
    """The file of a custom model, whose modules are gone once it is written."""
    package = tmp_path / "steps" / "blending"
    package.mkdir(parents=True)
    (package / "model.py").write_text(BLEND)
    (package / "sums.py").write_text(SUMS)
    settings = tmp_path / "settings.json"
    settings.write_text('{"offset": 100}')

    def content() -> bytes:
        from sklearn.linear_model import LinearRegression
        from snowflake.ml.model.custom_model import ModelContext

        with monkeypatch.context() as patch:
            patch.syspath_prepend(tmp_path / "steps")
            blend = importlib.import_module("blending.model").Blend
            inner = LinearRegression().fit(INPUTS, SPENT)
            written = pickled(blend(ModelContext(settings=str(settings), inner=inner)))
        for name in ("blending.model", "blending.sums", "blending"):
            del sys.modules[name]
        settings.unlink()
        return written

    yield content
    sys.modules.pop("blending.model", None)


def test_a_custom_model_travels_with_its_code_its_models_and_its_files(
    ctx: Context, custom_content: Callable[[], bytes]
) -> None:
    version = promoted(ctx, candidate_of(ctx, custom_content(), "pickle"), "CUSTOM")
    assert predicted(version) == pytest.approx((SPENT.head(5) + 100).tolist())


def module(name: str, file: str | None) -> types.ModuleType:
    made = types.ModuleType(name)
    made.__file__ = file
    return made


@pytest.mark.parametrize(
    ("name", "file", "root"),
    [
        ("train", "/code/train.py", "/code"),
        ("shop.train", "/code/shop/train.py", "/code"),
        ("shop", "/code/shop/__init__.py", "/code"),
        ("shop.models", "/code/a.zip/shop/models/__init__.py", "/code/a.zip"),
        ("numpy", "/venv/lib/python3.11/site-packages/numpy/__init__.py", None),
        ("io", io.__file__, None),
        ("shop", None, None),
        ("a.b.c.d", "d.py", None),
        ("__main__", "/code/run.py", None),
        ("sfml_steps.models", "/code/sfml_steps/models.py", None),
    ],
)
def test_step_code_is_what_lies_beside_steps(name: str, file: str | None, root: str | None) -> None:
    assert root_of(name, module(name, file)) == (Path(root) if root else None)


def test_packages_of_both_kinds_are_kept_with_the_version(ctx: Context, tmp_path: Path) -> None:
    from sklearn.linear_model import LinearRegression
    from snowflake.ml.model import ExportMode

    candidate = candidate_of(ctx, pickled(LinearRegression().fit(INPUTS, SPENT)), "pickle")
    candidate["packages"] = ["scikit-learn>=1.0"]
    candidate["pip"] = ["holidays==0.60"]
    candidate["options"] = {"relax_version": False}
    promoted(ctx, candidate, "PACKAGES").export(str(tmp_path), export_mode=ExportMode.FULL)
    kept = {path.name: path.read_text() for path in sorted(tmp_path.rglob("*.*")) if path.suffix in TEXTS}
    assert "scikit-learn>=1.0" in kept["conda.yml"]
    assert "holidays==0.60" in kept["requirements.txt"]
    assert "SNOWFLAKE.SNOWPARK.PYPI_SHARED_REPOSITORY" in kept["MANIFEST.yml"]


def test_the_champion_is_the_version_that_was_promoted_if_the_model_has_one(ctx: Context) -> None:
    from sklearn.linear_model import LinearRegression

    candidate = candidate_of(ctx, pickled(LinearRegression().fit(INPUTS, SPENT)), "pickle")
    registry = Registry(ctx.session, options={"enable_monitoring": False})

    def promoted_by(run: str) -> str:
        files = StageFiles(ctx.session)
        own = Context.for_test(session=ctx.session, files=files, stage=ctx.stage, pipeline="p", run_id=run)
        return promote_model(own, candidate, "ALIASED")["version"]

    def champion() -> str:
        return str(registry.get_model("ALIASED").version("CHAMPION").version_name)

    first = promoted_by("r1")
    with pytest.raises(ValueError, match="CHAMPION"):
        champion()  # a model without the alias gets none
    registry.get_model("ALIASED").version(first).set_alias("CHAMPION")
    registry.get_model("ALIASED").version(first).set_alias("KEPT")
    second = promoted_by("r2")
    assert (first, second) == ("V_R1", "V_R2") and champion() == second
    assert registry.get_model("ALIASED").version("KEPT").version_name == first, "other aliases stay"
    assert promoted_by("r2") == second == champion(), "another attempt"


def test_what_no_registry_would_take_is_refused(ctx: Context) -> None:
    candidate = candidate_of(ctx, b"x", "pickle")
    for wrong, message in (
        ({**candidate, "format": "onnx"}, "one of xgboost, lightgbm, .*, pickle, not `onnx`"),
        ({"model": candidate["model"], "format": "pickle"}, "no `sample`"),
        ({**candidate, "model": "@OTHER/model.pkl"}, "because reading it runs code"),
        ({**candidate, "model": "@SFML.CANDIDATES.SFML/../x/model.pkl"}, "because reading it runs code"),
    ):
        with pytest.raises(StepError, match=message):
            promote_model(ctx, wrong, "REFUSED")  # type: ignore[arg-type]


@pytest.mark.parametrize("sample", [b"{}", b"[]", b"[1, 2]", b'[{"A": 1}, [2]]'])
def test_a_sample_without_rows_is_refused(ctx: Context, sample: bytes) -> None:
    with pytest.raises(StepError, match="is not a list of rows"):
        promote_model(ctx, candidate_of(ctx, pickled({}), "pickle", sample), "REFUSED")


def test_a_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(StepError, match=r"`lightgbm` needs `lightgbm`.*`packages`"):
        loaded(b"", "lightgbm", tmp_path)


def test_step_code_that_a_pickle_only_names_is_said(tmp_path: Path) -> None:
    # What pickle writes of a class: its module and its name.
    with pytest.raises(StepError, match=r"the module `elsewhere`.*sfml_steps\.models\.pickled"):
        loaded(b"celsewhere\nModel\n.", "pickle", tmp_path)


def of_run(session: Session, run: str) -> Context:
    """A context of another run, with files on the same stage."""
    files = StageFiles(session)
    return Context.for_test(
        session=session, files=files, stage="@SFML.CANDIDATES.SFML", pipeline="p", run_id=run
    )


def fitted(ctx: Context, spent: Any, **metrics: float) -> Candidate:
    from sklearn.linear_model import LinearRegression

    candidate = candidate_of(ctx, pickled(LinearRegression().fit(INPUTS, spent)), "pickle")
    candidate["metrics"] = metrics
    return candidate


def test_another_candidate_of_the_same_run_becomes_a_version_of_its_own(account: Session) -> None:
    def promoted_as(spent: Any) -> Any:
        ctx = of_run(account, "r")
        return promote_model(ctx, fitted(ctx, spent), "AGAIN")

    first, again = promoted_as(SPENT), promoted_as(SPENT)
    assert first["version"] == again["version"] == "V_R", "another attempt"
    second = promoted_as(SPENT * 10)
    assert (second["version"], second["previous"]) == ("V_R_2", "V_R")
    assert promoted_as(SPENT * 10) == second, "another attempt of the part that trained again"
    version = Registry(account, options={"enable_monitoring": False}).get_model("AGAIN").default
    assert predicted(version) == pytest.approx((SPENT * 10).head(5).tolist())


def test_a_candidate_is_compared_and_keeps_the_version_that_it_replaces(account: Session) -> None:
    def night(run: str, mae: float) -> str:
        ctx = of_run(account, run)
        outcome = compare_with_champion(ctx, mae, "NIGHTLY", "mae", better="lower", least_gain=0.1)
        if outcome == "failed":
            return outcome
        return promote_model(ctx, fitted(ctx, SPENT, mae=mae), "NIGHTLY")["version"]

    registry = Registry(account, options={"enable_monitoring": False})
    assert night("r1", 0.9) == "V_R1", "there is no champion yet"
    assert night("r2", 0.85) == "failed"
    assert night("r3", 0.8) == "V_R3"
    versions = {version.name: version for version in versions_of(account, "NIGHTLY")}
    assert list(versions) == ["V_R1", "V_R3"], "a candidate that failed is in no registry"
    assert versions["V_R3"].former == "V_R1" and superfluous(versions.values(), 1) == []
    assert registry.get_model("NIGHTLY").version("V_R3").show_metrics() == {"mae": 0.8}
    registry.get_model("NIGHTLY").version("V_R1").set_alias("CHAMPION")
    assert night("r4", 0.75) == "V_R4", "it is better than the alias, though not than the default"
    assert night("r5", 0.75) == "failed", "the alias went with the promotion"


def test_a_model_may_be_named_in_full_and_in_quotes(account: Session) -> None:
    ctx = of_run(account, "r")
    for name in ("SFML.CANDIDATES.FULLY", 'CANDIDATES."Small $1"'):
        for _ in ("first", "retry"):
            assert promote_model(ctx, fitted(ctx, SPENT), name)["version"] == "V_R"
        assert [version.name for version in versions_of(account, name)] == ["V_R"]


@pytest.fixture(scope="module")
def base(account: Session) -> str:
    """A version that others are copied from, which is faster than logging them."""
    ctx = of_run(account, "base")
    promote_model(ctx, fitted(ctx, SPENT), "BASE")
    return "MODEL BASE VERSION V_BASE"


def test_a_champion_that_nothing_can_be_compared_with_is_said(account: Session, base: str) -> None:
    ctx = of_run(account, "r")
    account.sql(f"CREATE MODEL BARE WITH VERSION V1 FROM {base}").collect()
    with pytest.raises(
        StepError, match=r"V1, the champion of BARE, .* no number `auc` \(its metrics: none\)"
    ):
        compare_with_champion(ctx, 0.5, "BARE", "auc")
    with pytest.raises(StepError, match="is not the name of a model"):
        compare_with_champion(ctx, 0.5, "BARE; DROP MODEL BARE", "auc")
    assert compare_with_champion(ctx, 0.5, "NEW", "auc") == "passed"
    assert compare_with_champion(ctx, 0.5, "NEW", "auc", without_champion="failed") == "failed"


@pytest.mark.parametrize(
    ("value", "better", "least_gain", "outcome"),
    [
        (0.3, "higher", 0.1, "passed"),  # as binary numbers, 0.3 - 0.2 is less than 0.1
        (0.3, "higher", 0.1001, "failed"),
        (0.2, "higher", 0.0, "passed"),
        (0.19, "higher", 0.0, "failed"),
        (0.19, "higher", -0.01, "passed"),
        (0.1, "lower", 0.1, "passed"),
        (0.2, "lower", 0.1, "failed"),
        (float("nan"), "higher", -1.0, "failed"),
        (float("inf"), "higher", 0.0, "failed"),
        (1, "higher", 0.8, "passed"),
    ],
)
def test_how_much_better_is_enough(
    account: Session,
    base: str,
    value: float,
    better: Literal["higher", "lower"],
    least_gain: float,
    outcome: str,
) -> None:
    account.sql(f"CREATE MODEL IF NOT EXISTS MEASURED WITH VERSION V1 FROM {base}").collect()
    metadata = '{"metrics": {"auc": 0.2}}'
    account.sql(f"ALTER MODEL MEASURED MODIFY VERSION V1 SET METADATA = '{metadata}'").collect()
    ctx = of_run(account, "r")
    assert compare_with_champion(ctx, value, "MEASURED", "auc", better, least_gain) == outcome
