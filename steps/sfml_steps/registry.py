"""A step that makes the candidate of a training step the default version of a model in the registry."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from sfml_steps.context import Context
from sfml_steps.errors import StepError
from sfml_steps.models import LOADERS, PICKLED, Format, loaded
from sfml_steps.registration import step
from sfml_steps.versions import (
    CHAMPION,
    PROMOTED,
    Version,
    checked_model,
    default_of,
    note_candidate,
    versions_of,
)

if TYPE_CHECKING:
    from snowflake.ml.model import Model
    from snowflake.ml.registry import Registry

# Shorter than the longest Snowflake identifier, with room for what registries append.
VERSION_LENGTH = 128

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


@dataclass(frozen=True)
class CandidateContent:
    """The content of a candidate's files."""

    model: bytes
    sample: bytes


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
    finds the version that an earlier attempt logged, and only makes it the default; another candidate of the same run,
    as of a part that trains again, becomes a version of its own. The alias `CHAMPION` moves to it if the model uses it,
    as `sfml models promote` moves it. The version that it replaces is kept with it, and `sfml models rollback` goes
    back to that one.
    """
    # The client draws a progress bar, which has no use in a log; tqdm reads this variable when it is imported.
    os.environ.setdefault("TQDM_DISABLE", "1")
    from snowflake.ml.registry import Registry

    check(candidate)
    checked_model(model_name)
    metrics = dict(candidate.get("metrics") or {})
    files = candidate_content(ctx, candidate)
    digest = digest_of(candidate, files)
    registry = Registry(ctx.session)
    before = versions_of(ctx.session, model_name)
    version = free_name(version_name(ctx.run.id), before, digest)
    if version in {one.name for one in before}:
        # An earlier attempt may have ended after it logged the version and before it set the metrics.
        logged = registry.get_model(model_name).version(version)
        for name, value in metrics.items():
            logged.set_metric(name, value)
        ctx.logger.info("%s version %s was logged by an earlier attempt of this run", model_name, version)
    else:
        about = comment or f"run {ctx.run.id} of pipeline {ctx.run.pipeline}"
        log_candidate(registry, candidate, files, model_name, version, about)
        ctx.logger.info("logged %s version %s with %s", model_name, version, shown(metrics) or "no metrics")
    default = default_of(before)
    previous = keep_former(ctx, model_name, version, digest, default.name if default else None)
    model = registry.get_model(model_name)
    model.default = version
    move_champion(model, version)
    ctx.logger.info("the default version of %s is %s (was %s)", model_name, version, previous or "none")
    return {
        "summary": f"{model_name} {version} is the default",
        "model": model_name,
        "version": version,
        "previous": previous,
        "metrics": metrics,
    }


def version_name(run_id: str) -> str:
    """Return the name of a run's version: the same for every attempt, and an identifier that needs no quotes."""
    return ("V_" + re.sub(r"[^A-Z0-9]+", "_", run_id.upper()).strip("_"))[:VERSION_LENGTH]


def free_name(name: str, versions: Iterable[Version], digest: str) -> str:
    """Return the name under which a candidate was logged already, or else the first one with a number that is free."""
    digests = {version.name: version.own.get("candidate") for version in versions}
    names = itertools.chain(
        [name], (f"{name[: VERSION_LENGTH - 5]}_{number}" for number in itertools.count(2))
    )
    return next(one for one in names if one not in digests or digests[one] == digest)


def keep_former(ctx: Context, model_name: str, version: str, digest: str, default: str | None) -> str | None:
    """Note with a version which one it replaces, before it does, so that an attempt that is cut off loses nothing.

    Return the name of the version that is replaced.
    """
    (logged,) = (one for one in versions_of(ctx.session, model_name) if one.name == version)
    by = f"run {ctx.run.id}"
    noted = [one for one in logged.changes if one.get("action") == PROMOTED and one.get("by") == by]
    if noted and default in (version, noted[-1].get("other")):
        return logged.former  # by an earlier attempt
    former = default if default != version else None
    at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
    change = {"action": PROMOTED, "at": at, "by": by, **({"other": former} if former else {})}
    note_candidate(ctx.session, model_name, logged, digest, change)
    return former


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
    registry: Registry,
    candidate: Candidate,
    files: CandidateContent,
    model_name: str,
    version: str,
    comment: str,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        registry.log_model(
            loaded(files.model, candidate["format"], Path(folder)),
            model_name=model_name,
            version_name=version,
            comment=comment,
            metrics=dict(candidate.get("metrics") or {}),
            sample_input_data=sample_of(files.sample, candidate["sample"]),
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


def candidate_content(ctx: Context, candidate: Candidate) -> CandidateContent:
    return CandidateContent(model_content(ctx, candidate), ctx.read_file(candidate["sample"]))


def digest_of(candidate: Candidate, files: CandidateContent) -> str:
    """Return what tells a candidate from others: all but its metrics and where its files are."""
    kept = {key: candidate.get(key) for key in ("format", "packages", "pip", "options")}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode())
    for content in (files.model, files.sample):
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


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


def sample_of(content: bytes, path: str) -> Any:
    """Return the rows from which the signature is inferred: a data frame, or an array of 32-bit floats."""
    import pandas

    rows = json.loads(content)
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        return pandas.DataFrame(rows)
    if isinstance(rows, list) and rows and all(isinstance(row, list) for row in rows):
        import numpy

        return numpy.asarray(rows, dtype="float32")
    raise StepError(
        f"the candidate's sample {path} is not a list of rows: write some rows of the model's input "
        "as JSON, each a mapping from column to value, or a list of numbers"
    )


def shown(metrics: Mapping[str, float]) -> str:
    return ", ".join(
        f"{name} {value:,.0f}" if abs(value) >= 1000 else f"{name} {value:.4g}"
        for name, value in metrics.items()
    )
