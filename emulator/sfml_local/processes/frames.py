"""What goes between the server and a process that runs a function or a model: frames of a kind, a length and bytes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import pyarrow as pa

CALL, TABLE, RESULT, ERROR = b"C", b"T", b"R", b"E"
"""A request, the Arrow table of its arguments, the table of its results, the text of what failed."""

_HEAD = struct.Struct(">cQ")


def write_frame(stream: BinaryIO, kind: bytes, payload: bytes) -> None:
    stream.write(_HEAD.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """The next frame's kind and payload; None if the other side has closed the connection."""
    header = _exactly(stream, _HEAD.size)
    if header is None:
        return None
    kind, length = _HEAD.unpack(header)
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


def packed(table: pa.Table) -> bytes:
    """An Arrow table as the bytes of a frame."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def unpacked(payload: bytes) -> pa.Table:
    """The Arrow table of a frame."""
    import pyarrow as pa

    return pa.ipc.open_stream(payload).read_all()
