"""The structure of a YAML text by its lines: for texts that are being typed and cannot be read yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from sfml.base.record import record

_LINE = re.compile(r"(?P<indent> *)(?P<dashes>(?:- +|-$)*)(?P<rest>.*)")
_KEY = re.compile(
    r"(?P<key>\"(?:[^\"\\]|\\.)*\""
    r"|'(?:[^']|'')*'"
    r"|[^\s#\"'\[\]{},&*!|>%@`:-](?:[^#:]|:(?! |$)|(?<! )#)*"
    r"|[-:](?=\S)[^#:]*?)\s*:(?= |$)"
)
_WORD = re.compile(r"[^\s,\[\]{}\"'#]*\Z")
_TAIL = re.compile(r"[\w.$-]*")
MOST_LINES = 60
"""How many lines a mapping or list in braces is looked for above the cursor."""

Key = str | int


class Wanted(Enum):
    """What would stand where the cursor is: a key, a value, or an item of a list, which may begin a mapping."""

    KEY = "key"
    VALUE = "value"
    ITEM = "item"
    NOTHING = "nothing"


@record
class Gap:
    """Where the cursor is. `keys` lead to the mapping of a key, or to a value or item itself.

    `start` and `end` are the offsets of the word that is being typed, `word` its text up to the cursor. `beside` are
    the other keys of the mapping. `inside` is the text after an opened `${` or `{{`, which is `opened`.
    """

    wanted: Wanted
    keys: tuple[Key, ...]
    word: str
    start: int
    end: int
    beside: tuple[str, ...] = ()
    opened: str = ""
    inside: str = ""


@record
class _Line:
    """A line's columns of dashes, and its key with its column, and what follows."""

    dashes: tuple[int, ...]
    column: int
    key: str | None
    rest: str
    rest_at: int

    @property
    def is_empty(self) -> bool:
        return not self.dashes and self.key is None and not self.rest.strip()


def _line(text: str) -> _Line:
    text = text.rstrip("\r\n")
    match = _LINE.match(text)
    assert match is not None
    start = match.end("dashes")
    dashes = tuple(match.start("dashes") + at.start() for at in re.finditer("-", match["dashes"]))
    rest = match["rest"]
    if rest.startswith("#"):
        return _Line((), len(text), None, "", len(text))
    key = _KEY.match(rest)
    if key is None:
        return _Line(dashes, start, None, rest, start)
    name = key["key"].strip()
    if name[:1] in "\"'" and len(name) > 1:
        name = name[1:-1]
    return _Line(dashes, start, name, rest[key.end() :], start + key.end())


def gap_at(text: str, offset: int) -> Gap:
    """What would stand at an offset of a text, whether or not the text can be read."""
    lines = text[:offset].split("\n")
    row, column = len(lines) - 1, len(lines[-1])
    whole = text.split("\n", row + MOST_LINES + 1)
    end = offset + len(_TAIL.match(text[offset : offset + 200])[0])  # type: ignore[index]
    flow = _in_braces(whole, row, column)
    if flow is not None:
        keys, wanted, beside, scalar = flow
        return _gap(wanted, keys, scalar, offset, end, beside)
    before = lines[-1]
    line = _line(before)
    if line.is_empty and before.lstrip().startswith("#"):
        return Gap(Wanted.NOTHING, (), "", offset, offset)
    if line.key is not None:
        keys = (*_above(whole, row, line), line.key)
        return _gap(Wanted.VALUE, keys, line.rest.lstrip(), offset, end, ())
    own = _Line(line.dashes, line.column if line.rest or line.dashes else column, None, line.rest, 0)
    keys = _above(whole, row, own)
    if _is_in_block(whole, row, own.column):
        return _gap(Wanted.VALUE, keys, line.rest, offset, end, ())
    wanted = Wanted.ITEM if line.dashes else Wanted.KEY
    return _gap(wanted, keys, line.rest, offset, end, _beside(whole, row, own.column))


def _gap(
    wanted: Wanted, keys: tuple[Key, ...], scalar: str, offset: int, end: int, beside: tuple[str, ...]
) -> Gap:
    for opened, closed in (("${", "}"), ("{{", "}}")):
        at = scalar.rfind(opened)
        if at >= 0 and closed not in scalar[at + len(opened) :]:
            inside = scalar[at + len(opened) :].lstrip()
            word = re.search(r"[\w]*\Z", inside)[0]  # type: ignore[index]
            return Gap(wanted, keys, word, offset - len(word), end, beside, opened, inside)
    word = _WORD.search(scalar)[0]  # type: ignore[index]
    return Gap(wanted, keys, word, offset - len(word), end, beside)


def _above(lines: list[str], row: int, line: _Line) -> tuple[Key, ...]:
    """The keys that lead to a line, found by the indentation of the lines above it."""
    keys: list[Key] = []
    limit = line.column
    for dash in reversed(line.dashes):
        keys.append(_place_in_list(lines, row, dash))
        limit = dash + 1
    for above in range(row - 1, -1, -1):
        if limit <= 0:
            break
        other = _line(lines[above])
        if other.is_empty:
            continue
        if other.key is not None and other.column < limit:
            keys.append(other.key)
            limit = other.column
        for dash in reversed(other.dashes):
            if dash < limit and (not keys or not isinstance(keys[-1], int) or dash < limit - 1):
                keys.append(_place_in_list(lines, above, dash))
                limit = dash + 1
    return tuple(reversed(keys))


def _place_in_list(lines: list[str], row: int, dash: int) -> int:
    """How many items of the same list stand above an item."""
    count = 0
    for above in range(row - 1, -1, -1):
        other = _line(lines[above])
        if other.is_empty:
            continue
        if dash in other.dashes:
            count += 1
        first = other.dashes[0] if other.dashes else other.column
        if first < dash or (first == dash and not other.dashes):
            break
    return count


def _beside(lines: list[str], row: int, column: int) -> tuple[str, ...]:
    """The keys of the mapping around a line, above and below it."""
    keys: dict[str, None] = {}
    for rows in (range(row - 1, -1, -1), range(row + 1, len(lines))):
        for index in rows:
            other = _line(lines[index])
            if other.is_empty:
                continue
            first = other.dashes[0] if other.dashes else other.column
            if other.column == column and other.key is not None:
                keys[other.key] = None
            if first < column:
                break
    return tuple(keys)


def _is_in_block(lines: list[str], row: int, column: int) -> bool:
    """Whether the line belongs to a text that a `|` or `>` above has begun."""
    for above in range(row - 1, -1, -1):
        other = _line(lines[above])
        if other.is_empty:
            continue
        if other.column < column:
            return other.key is not None and bool(re.match(r"\s*[|>][+\-0-9]*\s*(#.*)?$", other.rest))
    return False


def _in_braces(
    lines: list[str], row: int, column: int
) -> tuple[tuple[Key, ...], Wanted, tuple[str, ...], str] | None:
    """The keys, the kind and the text so far at a cursor inside `{…}` or `[…]`; None outside of these."""
    for begin in range(row, max(row - MOST_LINES, -1), -1):
        line = _line(lines[begin])
        if line.is_empty or line.rest.lstrip()[:1] not in ("{", "["):
            continue
        if line.rest.lstrip().startswith("{{"):
            continue
        start = len(lines[begin].rstrip("\r\n")) - len(line.rest) if line.key is not None else line.rest_at
        parts = [lines[begin][start:], *lines[begin + 1 : row + 1]]
        if begin == row:
            parts = [lines[row][start:column]]
        else:
            parts[-1] = lines[row][:column]
        frames, scalar = _frames("\n".join(parts))
        if frames:
            own = (line.key,) if line.key is not None else ()
            keys: tuple[Key, ...] = (*_above(lines, begin, line), *own)
            for frame in frames[:-1]:
                keys = (*keys, frame.place)
            last = frames[-1]
            if not last.is_map:
                return (*keys, last.count), Wanted.ITEM, (), scalar
            if last.key is not None:
                return (*keys, last.key), Wanted.VALUE, (), scalar
            return keys, Wanted.KEY, tuple(last.keys), scalar
        if begin < row:
            continue
    return None


class _Frame:
    """A mapping or list in braces that is not closed."""

    def __init__(self, is_map: bool) -> None:
        self.is_map = is_map
        self.key: str | None = None
        self.keys: list[str] = []
        self.count = 0

    @property
    def place(self) -> Key:
        return (self.key or "") if self.is_map else self.count


def _frames(text: str) -> tuple[list[_Frame], str]:
    """The mappings and lists that are open at the end of a text, and the value or key that is being typed there."""
    frames: list[_Frame] = []
    scalar = ""
    quote = ""
    for index, sign in enumerate(text):
        if quote:
            if sign == quote:
                quote = ""
            scalar += sign
            continue
        top = frames[-1] if frames else None
        if sign in "\"'" and not scalar.strip():
            quote = sign
            scalar = sign
        elif sign in "{[" and not scalar.strip():
            frames.append(_Frame(sign == "{"))
            scalar = ""
        elif sign in "}]":
            if not frames:
                return [], ""
            frames.pop()
            scalar = ""
            if not frames:
                return [], ""
        elif sign == "," and top is not None:
            top.count += 1
            top.key = None
            scalar = ""
        elif (
            sign == ":"
            and top is not None
            and top.is_map
            and top.key is None
            and _ends_key(text, index, scalar)
        ):
            top.key = scalar.strip().strip("\"'")
            top.keys.append(top.key)
            scalar = ""
        else:
            scalar += sign
    return frames, scalar.lstrip()


def _ends_key(text: str, index: int, scalar: str) -> bool:
    return text[index + 1 : index + 2] in ("", " ", "\n") or scalar.strip()[-1:] in ('"', "'")


def keys_below(text: str, path: tuple[str, ...]) -> Iterator[str]:
    """The keys of the mapping at a path, by the indentation of its lines alone."""
    depth: list[tuple[int, str]] = []
    for raw in text.split("\n"):
        line = _line(raw)
        if line.key is None or line.dashes:
            continue
        while depth and depth[-1][0] >= line.column:
            depth.pop()
        if tuple(key for _, key in depth) == path:
            yield line.key
        depth.append((line.column, line.key))


@record
class Block:
    """A key with all that is indented below it: offsets of the key, rows from 0, and the keys that lead to it."""

    keys: tuple[str, ...]
    start: int
    end: int
    first: int
    last: int
    rest: str


def blocks(text: str) -> Iterator[Block]:
    """Every key that begins a line, in the order of the text; a block ends before blank lines and comments."""
    rows = text.split("\n")
    open_blocks: list[tuple[int, str, int, int, str, tuple[str, ...], int]] = []
    last = 0
    offset = 0
    result: list[Block] = []

    def close(until: int) -> None:
        while open_blocks and open_blocks[-1][0] >= until:
            _, key, start, first, rest, keys, end = open_blocks.pop()
            result.append(Block((*keys, key), start, end, first, max(first, last), rest))

    for row, raw in enumerate(rows):
        line = _line(raw)
        if not line.is_empty:
            first = line.dashes[0] if line.dashes else line.column
            close(first if not line.dashes else first + 1)
            if line.key is not None and not line.dashes:
                keys = tuple(open_block[1] for open_block in open_blocks)
                start = offset + line.column
                open_blocks.append(
                    (line.column, line.key, start, row, line.rest, keys, start + len(line.key))
                )
            last = row
        offset += len(raw) + 1
    close(0)
    yield from sorted(result, key=lambda one: (one.first, len(one.keys)))


def comments(text: str) -> Iterator[tuple[int, int]]:
    """The first and last row of every run of comment lines."""
    begin: int | None = None
    rows = text.split("\n")
    for row, raw in enumerate((*rows, "")):
        if raw.lstrip().startswith("#"):
            begin = row if begin is None else begin
        elif begin is not None:
            yield begin, row - 1
            begin = None
