"""The process that runs the methods of one model version: `python -m sfml_local.processes.predictor REQUEST`.

It loads functions that the registry's client packed for warehouses, each at its first call, and
answers Arrow tables of arguments with Arrow tables of JSON texts, over the socket named in the request, until the
server closes it. Models are users' code, and versions may need different modules of one name, so each version
has its own process.
"""

from __future__ import annotations

import importlib.util
import json
import math
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from sfml_local.processes.frames import ERROR, RESULT, packed, read_frame, unpacked, write_frame

PLAIN, JSON_TEXT, WIDE = "a", "j", "w"
"""Prefixes of column names: for plain values, JSON texts, and JSON objects with all arguments."""

ROW, PARTITION = "row", "partition"
"""The column of a table function's answer with the row or partition to which each of its rows belongs."""


def main(request_file: str) -> int:
    request: dict[str, str] = json.loads(Path(request_file).read_text(encoding="utf-8"))
    folder = Path(request["folder"])
    if sys.path[0] != str(folder):
        sys.path.insert(0, str(folder))
    sys._xoptions["snowflake_import_directory"] = f"{folder}/"
    sys.modules["_snowflake"] = _snowflake_module()
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(request["socket"])
        with control.makefile("rb") as requests, control.makefile("wb") as answers:
            _serve(folder, requests, answers)
    return 0


def _serve(folder: Path, requests: BinaryIO, answers: BinaryIO) -> None:
    modules: dict[str, ModuleType] = {}
    while (call := read_frame(requests)) is not None and (table := read_frame(requests)) is not None:
        asked = json.loads(call[1])
        try:
            *path, name = str(asked["handler"]).split(".")
            file = str(Path(folder, *path).with_suffix(".py"))
            if file not in modules:
                modules[file] = _loaded(file, f"_model_function_{len(modules)}")
            write_frame(answers, RESULT, _answer(modules[file], name, table[1], asked["partitions"]))
        except BaseException as error:
            text = _told(error)
            print(text, file=sys.stderr, flush=True)
            write_frame(answers, ERROR, text.encode())


def _told(error: BaseException) -> str:
    """The traceback from the model's own first line on."""
    at = error.__traceback__
    while at is not None and at.tb_frame.f_code.co_filename == __file__:
        at = at.tb_next
    return "".join(traceback.format_exception(type(error), error, at))


def _loaded(file: str, name: str) -> ModuleType:
    """A function file of the version, imported as Snowflake imports it."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"no function file {file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _snowflake_module() -> ModuleType:
    """Snowflake's `_snowflake`, as far as packed models use it: decorators that mark functions.

    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
    """
    module = ModuleType("_snowflake")

    def vectorized(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return lambda function: function

    def udf_init_once(function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    module.vectorized = vectorized  # type: ignore[attr-defined]
    module.udf_init_once = udf_init_once  # type: ignore[attr-defined]
    return module


def _answer(module: ModuleType, name: str, request: bytes, partitions: Sequence[int] | None) -> bytes:
    """A table with the column `result` of JSON texts, and for table functions the row or partition of each."""
    import pyarrow as pa

    frame = _frame(unpacked(request), module)
    method = getattr(module, name)
    if partitions is None:
        answer: dict[str, list[Any]] = {"result": [_json(value) for value in method(frame)]}
    else:
        pairs = list(_rows(method, frame, partitions))
        of = PARTITION if hasattr(method, "end_partition") else ROW
        answer = {"result": [_json(row) for _, row in pairs], of: [source for source, _ in pairs]}
    table = pa.table(
        {
            key: pa.array(values, pa.string() if key == "result" else pa.int64())
            for key, values in answer.items()
        }
    )
    return packed(table)


def _frame(arguments: Any, module: ModuleType) -> Any:
    """The arguments in Snowflake's types, in which integers and booleans may be missing."""
    import pandas as pd
    import pyarrow as pa

    nullable = {
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
    }
    frame = arguments.to_pandas(types_mapper=nullable.get)
    if list(frame.columns) == [WIDE]:
        wanted = [*module.__dict__.get("input_cols", ()), *module.__dict__.get("param_cols", ())]
        objects = [json.loads(text) for text in frame[WIDE]]
        return pd.DataFrame([_in_order(one, wanted) for one in objects])
    for name in frame.columns:
        if name.startswith(JSON_TEXT):
            frame[name] = [None if text is None else json.loads(text) for text in frame[name]]
    return frame


def _in_order(given: dict[str, Any], wanted: Sequence[str]) -> list[Any]:
    """The values of an object in the order of the signature; its keys are names of columns."""
    values = list(given.values())
    if wanted and len(wanted) == len(values):
        by_name = {key.strip('"').upper(): value for key, value in given.items()}
        return [by_name.get(name.upper(), value) for name, value in zip(wanted, values, strict=True)]
    return values


def _rows(method: Any, frame: Any, partitions: Sequence[int]) -> Iterator[tuple[int, list[Any]]]:
    """The rows of a table function, each with its partition, or with its row if the function works by row.

    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-tabular-vectorized
    """
    start = 0
    for number, length in enumerate(partitions):
        part = frame.iloc[start : start + length].reset_index(drop=True)
        handler = method()
        if hasattr(handler, "end_partition"):
            yield from ((number, row) for row in _plain_rows(handler.end_partition(part)))
        else:
            rows = list(_plain_rows(handler.process(part)))
            if len(rows) != length:
                raise ValueError(f"a method that works by row answered {len(rows)} rows for {length}")
            yield from zip(range(start, start + length), rows, strict=True)
        start += length


def _plain_rows(frame: Any) -> Iterator[list[Any]]:
    columns = [frame.iloc[:, index].tolist() for index in range(frame.shape[1])]
    return ([_or_none(value) for value in row] for row in zip(*columns, strict=True))


def _or_none(value: Any) -> Any:
    """None for values that pandas counts as missing; lists and mappings are never missing."""
    import pandas as pd

    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _json(value: Any) -> str | None:
    if value is None:
        return None
    try:
        return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), default=_plain, ensure_ascii=False)


def _finite(value: Any) -> Any:
    """The value with NaN, inf and -inf as Snowflake writes them in a VARIANT, because JSON lacks them."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays as Python values, bytes as hexadecimal text, which can be cast to BINARY."""
    if isinstance(value, bytes | bytearray):
        return value.hex().upper()
    return value.tolist() if hasattr(value, "tolist") else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
