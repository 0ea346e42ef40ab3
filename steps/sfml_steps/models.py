"""Model files that one task writes and another reads, in the format of the model's library, or pickled."""

from __future__ import annotations

import importlib
import io
import json
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sfml_steps.errors import StepError
from sfml_steps.registration import step_modules

Format = Literal["xgboost", "lightgbm", "catboost", "keras", "torchscript", "sklearn", "pickle"]

PICKLED = ("sklearn", "pickle")
"""Formats whose files execute code when they are read."""


@dataclass(frozen=True)
class CustomModelParts:
    """The parts of a custom model: its class, and the models and files of its context, which pickling leaves out."""

    model_class: type
    models: Mapping[str, Any]
    files: Mapping[str, tuple[str, bytes]]


def pickled(model: object) -> bytes:
    """Return a model as the content of a file in the format `pickle`, for `ctx.write_file`.

    Classes and functions of step code are included, because neither the task that reads the file nor the warehouse
    that runs the model has their modules. For a `CustomModel`, the models and files of its context are included; its
    attributes are not, because `__init__` runs again. Its module must not use `from __future__ import annotations`,
    because the registry reads the annotations of its methods.
    """
    cloudpickle = library("cloudpickle", "pickle")
    packages = [sys.modules[name] for name in sorted(step_packages(type(model).__module__))]
    registered = [module for module in packages if module.__name__ not in registered_names(cloudpickle)]
    for module in registered:
        cloudpickle.register_pickle_by_value(module)
    try:
        content: bytes = cloudpickle.dumps(taken_apart(model))
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)
    return content


def loaded(content: bytes, format: str, folder: Path) -> Any:
    """Return the model in a file of that format; its loader may write files to `folder`."""
    return LOADERS[format](content, folder)


def load_xgboost(content: bytes, folder: Path) -> Any:
    """Load a file of `save_raw` or `save_model`, as a `Booster` or as the scikit-learn class that was saved."""
    xgboost = library("xgboost", "xgboost")
    path = written(folder, "model.json" if content[:2] == b'{"' else "model.ubj", content)
    booster = xgboost.Booster()
    booster.load_model(path)
    # Classes of the scikit-learn interface store their kind in the file; a Booster does not.
    note = json.loads(booster.attr("scikit_learn") or "{}")
    classes = {"classifier": "XGBClassifier", "regressor": "XGBRegressor", "ranker": "XGBRanker"}
    if note.get("_estimator_type") not in classes:
        return booster
    model = getattr(xgboost, classes[note["_estimator_type"]])()
    model.load_model(path)
    return model


def load_lightgbm(content: bytes, folder: Path) -> Any:
    """Load a `Booster` from a file of `save_model` or a text of `model_to_string`."""
    return library("lightgbm", "lightgbm").Booster(model_str=content.decode("utf-8"))


def load_catboost(content: bytes, folder: Path) -> Any:
    """Load a file of `save_model`, as a classifier if its loss function is one of classification, else a `CatBoost`."""
    catboost = library("catboost", "catboost")
    path = str(written(folder, "model.cbm", content))
    model = catboost.CatBoost()
    model.load_model(path)
    loss = str(model.get_all_params().get("loss_function"))
    if loss.partition(":")[0] not in ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll"):
        return model
    classifier = catboost.CatBoostClassifier()
    classifier.load_model(path)
    return classifier


def load_keras(content: bytes, folder: Path) -> Any:
    """Load a `.keras` file in safe mode, which refuses files with code."""
    return library("keras", "keras").models.load_model(written(folder, "model.keras", content))


def load_torchscript(content: bytes, folder: Path) -> Any:
    """Load a file of `torch.jit.save`, on the CPU."""
    return library("torch", "torchscript").jit.load(io.BytesIO(content), map_location="cpu")


def load_sklearn(content: bytes, folder: Path) -> Any:
    """Load a file of `joblib.dump`, `pickle.dump` or `pickled`."""
    library("sklearn", "sklearn", "scikit-learn")
    joblib = library("joblib", "sklearn")
    return put_together(unpickled(lambda: joblib.load(io.BytesIO(content))), folder)


def load_pickle(content: bytes, folder: Path) -> Any:
    """Load a file of `pickled` or `pickle.dumps`."""
    cloudpickle = library("cloudpickle", "pickle")
    return put_together(unpickled(lambda: cloudpickle.loads(content)), folder)


LOADERS: Mapping[str, Callable[[bytes, Path], Any]] = {
    "xgboost": load_xgboost,
    "lightgbm": load_lightgbm,
    "catboost": load_catboost,
    "keras": load_keras,
    "torchscript": load_torchscript,
    "sklearn": load_sklearn,
    "pickle": load_pickle,
}


def library(module: str, format: str, package: str | None = None) -> Any:
    """Import the library of a format; raise StepError if it is not installed. Other formats need no library."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise StepError(
            f"a model in the format `{format}` needs `{error.name}`, which is not installed here: "
            f"add {package or error.name} to the task's `packages`"
        ) from error


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def unpickled(read: Callable[[], Any]) -> Any:
    """Read a pickled model; raise StepError with a sentence if it needs a module that is not installed."""
    try:
        model = read()
    except ModuleNotFoundError as error:
        raise StepError(
            f"the model's file refers to the module `{error.name}`, which is not here: add its package to the "
            "task's `packages`; if it is step code, write the file with sfml_steps.models.pickled"
        ) from error
    # The registry looks up the module of the model's class, which does not exist for a class pickled by value.
    kind = model.model_class if isinstance(model, CustomModelParts) else type(model)
    sys.modules.setdefault(kind.__module__, types.ModuleType(kind.__module__))
    return model


def taken_apart(model: Any) -> Any:
    """Return the parts of a custom model; any other model is returned as it is."""
    context: Any = getattr(model, "context", None)
    if type(context).__name__ != "ModelContext":
        return model
    files = {name: (Path(path).name, Path(path).read_bytes()) for name, path in context.artifacts.items()}
    models = {name: reference.model for name, reference in context.model_refs.items()}
    return CustomModelParts(type(model), models, files)


def put_together(model: Any, folder: Path) -> Any:
    """Return the custom model made of its parts; any other model is returned as it is."""
    if not isinstance(model, CustomModelParts):
        return model
    from snowflake.ml.model.custom_model import ModelContext

    paths = {}
    for name, (file, content) in model.files.items():
        (folder / name).mkdir()
        paths[name] = str(written(folder / name, file, content))
    return model.model_class(ModelContext(**paths, **model.models))


def step_packages(also: str) -> set[str]:
    """Return the top-level names of loaded step code: modules in the same folders as the process's steps or `also`.

    This package is left out, because it is in the archive of every task.
    """
    loaded_modules = dict(sys.modules)
    roots = {root_of(name, loaded_modules.get(name)) for name in step_modules() | {also}} - {None}
    return {
        name.partition(".")[0] for name, module in loaded_modules.items() if root_of(name, module) in roots
    }


def root_of(name: str, module: object) -> Path | None:
    """Return the folder or archive that a module is imported from; None for installed and built-in modules."""
    file = vars(module).get("__file__") if isinstance(module, types.ModuleType) else None
    if not file or name.partition(".")[0] in ("sfml_steps", "__main__"):
        return None
    path = Path(file)
    depth = name.count(".") + path.name.startswith("__init__.")
    if depth >= len(path.parents):
        return None
    root = path.parents[depth]
    is_library = {"site-packages", "dist-packages"} & set(root.parts) or root == Path(io.__file__).parent
    return None if is_library else root


def registered_names(cloudpickle: Any) -> set[str]:
    return set(cloudpickle.list_registry_pickle_by_value())
