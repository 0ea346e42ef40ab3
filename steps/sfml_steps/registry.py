"""Turns a training step's candidate into the default version of a model in the registry."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.registration import step

if TYPE_CHECKING:
    from snowflake.ml.model import ModelVersion
    from snowflake.ml.registry import Registry

# Never longer than a Snowflake identifier, with room for what registries add.
VERSION_LENGTH = 128


class Candidate(TypedDict):
    """A trained model as files of its run, before anything knows it: what training leaves for promotion.

    `model` and `sample` are paths that `ctx.write_file` returned: the model in its `format`, and some rows
    of its input as JSON (a list of mappings from column to number), from which its signature is inferred.
    `packages` are what a warehouse needs to score it, with versions: `xgboost==3.2.0`.
    """

    model: str
    format: Literal["xgboost"]
    sample: str
    packages: list[str]
    metrics: dict[str, float]


class Promotion(TypedDict):
    """The version that is the model's default now, and the one that was before.

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
    """Log a candidate as a new version that a warehouse can score, and make it the model's default.

    Nothing else logs versions, so a candidate that a gate refused never reaches the registry; that matters
    because the first version of a model becomes its default by itself. The version is named after the run: a
    retry finds what an earlier attempt logged and only makes it the default.
    """
    # The client draws a progress bar, which is no use in a log; tqdm reads this when it is first imported.
    os.environ.setdefault("TQDM_DISABLE", "1")
    from snowflake.ml.registry import Registry

    registry = Registry(ctx.session)
    version = version_name(ctx.run.id)
    previous = default_version(registry, model_name)
    logged = existing_version(registry, model_name, version) if previous else None
    if logged is None:
        about = comment or f"run {ctx.run.id} of pipeline {ctx.run.pipeline}"
        log_candidate(ctx, registry, candidate, model_name, version, about)
        ctx.logger.info("logged %s version %s with %s", model_name, version, shown(candidate["metrics"]))
    else:
        # An attempt that was cut between logging and this point may have left no metrics.
        for name, value in candidate["metrics"].items():
            logged.set_metric(name, value)
        ctx.logger.info("%s version %s was logged by an earlier attempt of this run", model_name, version)
    registry.get_model(model_name).default = version
    ctx.logger.info("the default version of %s is %s (was %s)", model_name, version, previous or "none")
    return {
        "summary": f"{model_name} {version} is the default",
        "model": model_name,
        "version": version,
        "previous": previous if previous != version else None,
        "metrics": dict(candidate["metrics"]),
    }


def version_name(run_id: str) -> str:
    """The registry version of a run: the same for every attempt, an identifier that needs no quotes."""
    return ("V_" + re.sub(r"[^A-Z0-9]+", "_", run_id.upper()).strip("_"))[:VERSION_LENGTH]


def default_version(registry: Registry, model_name: str) -> str | None:
    """The name of a model's default version, None where there is no such model."""
    if model_name.upper() not in {model.name.strip('"').upper() for model in registry.models()}:
        return None
    return str(registry.get_model(model_name).default.version_name)


def existing_version(registry: Registry, model_name: str, version: str) -> ModelVersion | None:
    versions = registry.get_model(model_name).versions()
    return next((found for found in versions if found.version_name == version), None)


def log_candidate(
    ctx: Context, registry: Registry, candidate: Candidate, model_name: str, version: str, comment: str
) -> ModelVersion:
    import pandas

    if candidate["format"] not in LOADERS:
        raise StepError(f"a candidate's format is one of {', '.join(LOADERS)}, not `{candidate['format']}`")
    sample = pandas.DataFrame(json.loads(ctx.read_file(candidate["sample"])))
    return registry.log_model(
        LOADERS[candidate["format"]](ctx.read_file(candidate["model"])),
        model_name=model_name,
        version_name=version,
        comment=comment,
        metrics=dict(candidate["metrics"]),
        sample_input_data=sample,
        # In the container runtime the default would be services only. Conda packages, because a warehouse
        # takes those without an artifact repository.
        target_platforms=["WAREHOUSE"],
        conda_dependencies=list(candidate["packages"]),
        # Explanations would need shap in the warehouse. Exact versions may be missing in its channel.
        options={"enable_explainability": False, "relax_version": True},
    )


def load_xgboost(content: bytes) -> Any:
    """A booster from what `Booster.save_raw` or `save_model` wrote; its loader needs no pickle."""
    import xgboost

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("model.json" if content[:2] == b'{"' else "model.ubj")
        path.write_bytes(content)
        booster = xgboost.Booster()
        booster.load_model(path)
    return booster


LOADERS: Mapping[str, Callable[[bytes], Any]] = {"xgboost": load_xgboost}


def shown(metrics: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name} {value:,.0f}" if abs(value) >= 1000 else f"{name} {value:.4g}"
        for name, value in metrics.items()
    )
