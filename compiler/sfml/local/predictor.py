"""The process that runs one method of one model version: `python -m sfml.local.predictor FOLDER HANDLER`.

It loads the function that the registry's client packed for Snowflake's warehouses, and answers Arrow tables
of arguments with an Arrow column of JSON texts, frame by frame, until its standard input ends. Models are a
user's code, in versions that may need modules of the same name: each has a process of its own, none runs in
the server.
"""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

JSON_COLUMN = "j"
"""What the names of columns begin with that hold JSON texts."""

RESULT = b"R"
ERROR = b"E"
_LENGTH = struct.Struct(">cQ")


def write_frame(stream: BinaryIO, kind: bytes, payload: bytes) -> None:
    stream.write(_LENGTH.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next frame's kind and payload; None when the other side is gone."""
    header = _exactly(stream, _LENGTH.size)
    if header is None:
        return None
    kind, length = _LENGTH.unpack(header)
    payload = _exactly(stream, length)
    return None if payload is None else (kind, payload)


def _exactly(stream: BinaryIO, length: int) -> bytes | None:
    parts: list[bytes] = []
    while length:
        part = stream.read(length)
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def main(folder: str, handler: str) -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the model prints must not mix with the answers
    method: Callable[[Any], Any] | None = None
    while (frame := read_frame(requests)) is not None:
        try:
            if method is None:
                method = load_method(Path(folder), handler)
            write_frame(answers, RESULT, _answer(method, frame[1]))
        except BaseException:
            text = traceback.format_exc()
            print(text, file=sys.stderr, flush=True)
            write_frame(answers, ERROR, text.encode())


def load_method(folder: Path, handler: str) -> Callable[[Any], Any]:
    """The function `functions.<file>.<name>` of a model's folder, imported as Snowflake imports it."""
    sys._xoptions["snowflake_import_directory"] = f"{folder}/"
    sys.path.insert(0, str(folder))
    sys.modules["_snowflake"] = _snowflake_module()
    *path, name = handler.split(".")
    file = folder.joinpath(*path).with_suffix(".py")
    spec = importlib.util.spec_from_file_location("_model_function", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"no function file {file}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    method: Callable[[Any], Any] = getattr(module, name)
    return method


def _snowflake_module() -> ModuleType:
    """Snowflake's `_snowflake`, as far as packed models use it: a decorator that marks whole-frame functions.

    https://docs.snowflake.com/en/developer-guide/udf/python/udf-python-batch
    """
    module = ModuleType("_snowflake")

    def vectorized(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        return lambda function: function

    module.vectorized = vectorized  # type: ignore[attr-defined]
    return module


def _answer(method: Callable[[Any], Any], request: bytes) -> bytes:
    import pyarrow as pa

    arguments = pa.ipc.open_stream(request).read_all().to_pandas()
    for name in arguments.columns:
        if name.startswith(JSON_COLUMN):
            arguments[name] = [None if text is None else json.loads(text) for text in arguments[name]]
    values = [_json(value) for value in method(arguments)]
    answer = pa.table({"result": pa.array(values, pa.string())})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, answer.schema) as writer:
        writer.write_table(answer)
    return bytes(sink.getvalue())


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays as Python's."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:3])
