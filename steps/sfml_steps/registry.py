"""A step that makes the candidate of a training step the default version of a model in the registry."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.models import LOADERS, PICKLED, Format, loaded
from sfml_steps.registration import step

if TYPE_CHECKING:
    from snowflake.ml.model import Model, ModelVersion
    from snowflake.ml.registry import Registry

# Shorter than the longest Snowflake identifier, with room for what registries append.
VERSION_LENGTH = 128

CHAMPION = "CHAMPION"

# The artifact repository from which a warehouse takes packages of the package index:
# https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-packages#artifact-repository
PACKAGE_INDEX = "snowflake.snowpark.pypi_shared_repository"


class CandidateFiles(TypedDict):
    """The required keys of a candidate.

    `model` and `sample` are paths that `ctx.write_file` returned: the model in its `format`, and some rows of its
    input as JSON, from which its signature is inferred. The sample is a list of mappings from column to value, or, for
    a model that takes arrays or tensors, a list of lists of numbers.
    """

    model: str
    format: Format
    sample: str


class Candidate(CandidateFiles, total=False):
    """A trained model as files of its run, which a training step returns and which is not in the registry yet.

    `packages` are the packages that a warehouse needs to run the model, from its Anaconda channel, and `pip` those
    from the package index, both with versions: `xgboost==3.2.0`. `metrics` are stored with the version. `options` are
    those of `Registry.log_model`, such as `{"target_methods": ["predict_proba"]}`.

    >>> import json
    >>> from sklearn.linear_model import LinearRegression
    >>> from sfml_steps.models import pickled
    >>> from sfml_steps.registry import Candidate
    >>> ctx = Context.for_test(pipeline="churn", task="train", run_id="r1")
    >>> rows = [{"AGE": 20.0}, {"AGE": 40.0}]
    >>> model = LinearRegression().fit([[row["AGE"]] for row in rows], [1.0, 3.0])
    >>> candidate: Candidate = {
    ...     "model": ctx.write_file("model.pkl", pickled(model)),
    ...     "format": "sklearn",
    ...     "sample": ctx.write_file("sample.json", json.dumps(rows).encode()),
    ...     "packages": ["scikit-learn"],
    ...     "metrics": {"r2": 1.0},
    ... }
    >>> candidate["model"]
    '@SFML/churn/runs/r1/train/model.pkl'
    """

    packages: list[str]
    pip: list[str]
    metrics: dict[str, float]
    options: dict[str, Any]


class Promotion(TypedDict):
    """The version that is the model's default now, and the version that was it before.

    `summary` is shown with the run.
    """

    summary: str
    model: str
    version: str
    previous: str | None
    metrics: dict[str, float]


@step
def promote_model(
    ctx: Context, candidate: Candidate, model_name: str, comment: str | None = None
) -> Promotion:
    """Log a candidate as a new version that can run in a warehouse, and make it the model's default version.

    - `candidate`: the candidate of the training step; this task's `packages` hold the package of its format.
    - `model_name`: the model, which the first promotion creates in the session's schema.
    - `comment`: the comment of the version; by default the run and its pipeline.

    No other step logs versions, so a candidate that a gate refused never reaches the registry. This matters because
    the first version of a model becomes its default automatically. The version is named after the run, so a retry
    finds the version that an earlier attempt logged, and only makes it the default. The alias `CHAMPION` moves to it
    if the model uses it, as `sfml models promote` moves it.
    """
    # The client draws a progress bar, which has no use in a log; tqdm reads this variable when it is imported.
    os.environ.setdefault("TQDM_DISABLE", "1")
    from snowflake.ml.registry import Registry

    check(candidate)
    metrics = dict(candidate.get("metrics") or {})
    registry = Registry(ctx.session)
    version = version_name(ctx.run.id)
    previous = default_version(registry, model_name)
    logged = existing_version(registry, model_name, version) if previous else None
    if logged is None:
        about = comment or f"run {ctx.run.id} of pipeline {ctx.run.pipeline}"
        log_candidate(ctx, registry, candidate, model_name, version, about)
        ctx.logger.info("logged %s version %s with %s", model_name, version, shown(metrics) or "no metrics")
    else:
        # An earlier attempt may have ended after it logged the version and before it set the metrics.
        for name, value in metrics.items():
            logged.set_metric(name, value)
        ctx.logger.info("%s version %s was logged by an earlier attempt of this run", model_name, version)
    model = registry.get_model(model_name)
    model.default = version
    move_champion(model, version)
    ctx.logger.info("the default version of %s is %s (was %s)", model_name, version, previous or "none")
    return {
        "summary": f"{model_name} {version} is the default",
        "model": model_name,
        "version": version,
        "previous": previous if previous != version else None,
        "metrics": metrics,
    }


def version_name(run_id: str) -> str:
    """Return the name of a run's version: the same for every attempt, and an identifier that needs no quotes."""
    return ("V_" + re.sub(r"[^A-Z0-9]+", "_", run_id.upper()).strip("_"))[:VERSION_LENGTH]


def default_version(registry: Registry, model_name: str) -> str | None:
    """Return the name of a model's default version; None if the model does not exist."""
    if model_name.upper() not in {model.name.strip('"').upper() for model in registry.models()}:
        return None
    return str(registry.get_model(model_name).default.version_name)


def existing_version(registry: Registry, model_name: str, version: str) -> ModelVersion | None:
    versions = registry.get_model(model_name).versions()
    return next((one for one in versions if one.version_name == version), None)


def move_champion(model: Model, version: str) -> None:
    """Move the alias CHAMPION to a version, if another version of the model has it."""
    try:
        champion = model.version(CHAMPION)
    except ValueError:  # no version has it
        return
    if champion.version_name != version:
        champion.unset_alias(CHAMPION)
        model.version(version).set_alias(CHAMPION)


def log_candidate(
    ctx: Context, registry: Registry, candidate: Candidate, model_name: str, version: str, comment: str
) -> ModelVersion:
    with tempfile.TemporaryDirectory() as folder:
        return registry.log_model(
            loaded(model_content(ctx, candidate), candidate["format"], Path(folder)),
            model_name=model_name,
            version_name=version,
            comment=comment,
            metrics=dict(candidate.get("metrics") or {}),
            sample_input_data=sample_of(ctx, candidate),
            # In the container runtime, the default would be services only.
            target_platforms=["WAREHOUSE"],
            # Conda packages where possible, because a warehouse takes others only from an artifact repository.
            conda_dependencies=list(candidate.get("packages") or []),
            pip_requirements=list(candidate.get("pip") or []) or None,
            artifact_repository_map={"pip": PACKAGE_INDEX} if candidate.get("pip") else None,
            # Explanations would need shap in the warehouse. The warehouse's channel may lack exact versions.
            options={
                "enable_explainability": False,
                "relax_version": True,
                **(candidate.get("options") or {}),
            },
        )


def check(candidate: Candidate) -> None:
    """Raise StepError for a candidate that lacks a required key or has an unknown format."""
    missing = [key for key in ("model", "format", "sample") if not candidate.get(key)]
    if missing:
        raise StepError(f"the candidate has no `{'`, `'.join(missing)}`: training leaves it with the result")
    if candidate["format"] not in LOADERS:
        raise StepError(f"a candidate's format is one of {', '.join(LOADERS)}, not `{candidate['format']}`")


def model_content(ctx: Context, candidate: Candidate) -> bytes:
    """Return the content of the model's file.

    Reading a pickled file executes code in it. A pickled file on the pipeline's stage is accepted, because everybody
    who can write there can change the code of its tasks anyway; one from any other place raises StepError.
    """
    path = candidate["model"]
    if candidate["format"] in PICKLED and (not path.startswith(f"{ctx.stage}/") or ".." in path.split("/")):
        raise StepError(
            f"a model in the format `{candidate['format']}` is read from {ctx.stage} alone, because reading it "
            f"runs code, and this one is {path}: keep it with ctx.write_file, or use its library's own format"
        )
    return ctx.read_file(path)


def sample_of(ctx: Context, candidate: Candidate) -> Any:
    """Return the rows from which the signature is inferred: a data frame, or an array of 32-bit floats."""
    import pandas

    rows = json.loads(ctx.read_file(candidate["sample"]))
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        return pandas.DataFrame(rows)
    if isinstance(rows, list) and rows and all(isinstance(row, list) for row in rows):
        import numpy

        return numpy.asarray(rows, dtype="float32")
    raise StepError(
        f"the candidate's sample {candidate['sample']} is not a list of rows: write some rows of the model's input "
        "as JSON, each a mapping from column to value, or a list of numbers"
    )


def shown(metrics: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name} {value:,.0f}" if abs(value) >= 1000 else f"{name} {value:.4g}"
        for name, value in metrics.items()
    )
