"""Behaviours of models, Datasets and tags."""

from __future__ import annotations

from sfml_local.evidence.behaviour import Behaviour, Evidence

_D, _C, _A, _X = Evidence.DOCUMENTED, Evidence.CHECKED, Evidence.ASSUMED, Evidence.DIFFERENT
_ML_CLIENT = "snowflake-ml-python 2.6, read and run"
_REGISTRY = "developer-guide/snowflake-ml/model-registry/overview"
_PARTITIONED = "developer-guide/snowflake-ml/model-registry/partitioned-models"
_VECTORIZED = "developer-guide/udf/python/udf-python-tabular-vectorized"
_CALLS = "sql-reference/commands-model-function"
_ALTER_MODEL = "sql-reference/sql/alter-model"
_DROP_VERSION = "sql-reference/sql/alter-model-drop-version"
_DATASETS = "developer-guide/snowflake-ml/dataset"
_ADD_VERSION = "sql-reference/sql/alter-dataset-add-version"

MODELS: tuple[Behaviour, ...] = (
    Behaviour("models", "The first version becomes the default, later ones do not", _D, _REGISTRY),
    Behaviour("models", "The default version is never dropped, not even as the only one", _D, _DROP_VERSION),
    Behaviour("models", "FIRST and LAST go by time of creation", _D, _DROP_VERSION),
    Behaviour("models", "An alias names one version; setting it again moves it", _D, _ALTER_MODEL),
    Behaviour("models", "Codes and sentences of refusals", _A, "not seen"),
    Behaviour("models", "What snowflake.ml.registry asks when it logs, loads and runs", _C, _ML_CLIENT),
    Behaviour("models", "A method is the function that the client packed for warehouses", _D, _ML_CLIENT),
    Behaviour("models", "MODEL(name, version)!METHOD(…), name!METHOD(…), WITH alias AS MODEL", _D, _CALLS),
    Behaviour(
        "models", "Arguments arrive in the types of the signature, missing ones as missing", _D, _ML_CLIENT
    ),
    Behaviour("models", "More than 500 arguments come in one object, by name", _D, _ML_CLIENT),
    Behaviour(
        "models", "Bytes are hexadecimal text in the answer, and cast to BINARY", _A, "as in any VARIANT"
    ),
    Behaviour(
        "models", "METHOD(*) is refused; the columns have to be named", _X, "not emulated, and said so"
    ),
    Behaviour("models", "A partitioned method answers for each partition by itself", _D, _PARTITIONED),
    Behaviour(
        "models",
        "Columns beside a partition's rows are NULL but those of PARTITION BY",
        _A,
        "a comment in snowflake-ml-python 2.6 says so of the input columns",
    ),
    Behaviour("models", "Without PARTITION BY all rows are one partition", _A, "not said"),
    Behaviour("models", "A method that works by row answers a row for each", _D, _VECTORIZED),
    Behaviour("models", "Table functions beside several tables are refused", _X, "not emulated, and said so"),
    Behaviour(
        "models",
        "A view calls the version that is the default when it is read",
        _A,
        "names are looked up late",
    ),
    Behaviour(
        "models",
        "Columns of INFORMATION_SCHEMA.MODEL_VERSIONS",
        _D,
        "sql-reference/info-schema/model_versions",
    ),
    Behaviour(
        "models",
        "PYTHON_VERSION and DEPENDENCIES in it are this Python's, and none",
        _X,
        "they are what runs",
    ),
    Behaviour(
        "models", "A version runs in one process, which is kept for a while", _X, "there are no warehouses"
    ),
    Behaviour(
        "models", "Model services, monitors and lineage are refused by name", _X, "not emulated, and said so"
    ),
    Behaviour("models", "INFORMATION_SCHEMA.PACKAGES shows this Python's packages", _X, "they are what runs"),
    Behaviour("tags", "ALLOWED_VALUES bind what is set on a model", _D, "sql-reference/sql/create-tag"),
    Behaviour(
        "tags",
        "Tags need no CREATE TAG, and outlive DROP TAG where they are set",
        _X,
        "kept by what is tagged",
    ),
)

DATASETS: tuple[Behaviour, ...] = (
    Behaviour("datasets", "A version keeps the rows of its query for good", _D, _DATASETS),
    Behaviour("datasets", "CREATE, ALTER … ADD and DROP VERSION, DROP, SHOW", _D, _ADD_VERSION),
    Behaviour("datasets", "What snowflake.ml.dataset asks; codes of refusals", _C, _ML_CLIENT),
    Behaviour(
        "datasets",
        "Columns of SHOW DATASETS and SHOW VERSIONS IN DATASET",
        _A,
        "the client reads few",
    ),
    Behaviour("datasets", "One Parquet file for each million rows", _A, "how many there are is not said"),
    Behaviour("datasets", "PARTITION BY is refused", _X, "not emulated, and said so"),
    Behaviour(
        "datasets",
        "GET_PRESIGNED_URL takes constants, and addresses end with the server",
        _X,
        "kept in memory",
    ),
    *(
        Behaviour("feature store", what, evidence, source)
        for what, evidence, source in (
            ("What snowflake.ml.feature_store asks, for every verb but the online store's", _C, _ML_CLIENT),
            ("Tiled views by SUM, COUNT, AVG, MIN, MAX, STDDEV and the last values", _C, _ML_CLIENT),
            ("ENTITY_DETAIL tells what the client reads, and nothing else", _X, "no page tells of it"),
            ("SHOW ONLINE FEATURE TABLES is empty; creating one is refused", _X, "not emulated, and said so"),
            (
                "Tiled views by approximate counts, Iceberg and streams are refused",
                _X,
                "not emulated, and said so",
            ),
            (
                "The session's warehouse is shown also where nobody created it",
                _X,
                "so that the store finds it",
            ),
        )
    ),
)
