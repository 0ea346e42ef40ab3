"""One server and one session for the tests of a module, and a registry on it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from snowflake.ml.model import ModelVersion
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session

from sfml_local.http.app import LocalServer

Log = Callable[..., ModelVersion]


@pytest.fixture(scope="module")
def asking(server: LocalServer) -> Iterator[Session]:
    with Session.builder.configs(server.connect_args()).create() as session:
        yield session


@pytest.fixture(scope="module")
def learnt() -> pd.DataFrame:
    """A hundred rows; Y tells whether A + B is positive, T is 2 A - B + 1, K is a word."""
    chance = np.random.default_rng(7)
    rows = pd.DataFrame({"A": chance.normal(size=100), "B": chance.normal(size=100)})
    rows["K"] = np.where(rows["A"] > 0, "high", "low")
    rows["Y"] = (rows["A"] + rows["B"] > 0).astype(int)
    rows["T"] = 2 * rows["A"] - rows["B"] + 1
    return rows


@pytest.fixture(scope="module")
def log(asking: Session) -> Log:
    """Log a model that a warehouse is to run: `log(model, "NAME", "V1", …)`."""
    registry = Registry(
        asking, database_name="SFML", schema_name="PUBLIC", options={"enable_monitoring": False}
    )

    def log_model(model: Any, name: str, version: str, **given: Any) -> ModelVersion:
        # The client takes these defaults apart from the job's runtime: a warehouse is to score the model.
        options = {"enable_explainability": False, **given.pop("options", {})}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return registry.log_model(
                model,
                model_name=name,
                version_name=version,
                target_platforms=["WAREHOUSE"],
                options=options,
                **given,
            )

    return log_model
