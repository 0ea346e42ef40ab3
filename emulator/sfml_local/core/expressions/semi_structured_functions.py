"""Functions of VARIANT, ARRAY and OBJECT, on the values of `variants`; results are written as JSON again."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sfml_local.core.expressions import number_formats
from sfml_local.core.expressions.refusals import Refusal, not_a_variant
from sfml_local.core.expressions.variants import (
    NULL_VALUE,
    inside,
    key_of,
    name_of,
    read_json,
    shown,
    text_of,
)

Json = Any
Function = Callable[..., Any]


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise not_a_variant(shown(value), "ARRAY")
    return value


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise not_a_variant(shown(value), "OBJECT")
    return value


def _whole(value: Json) -> int:
    return int(Decimal(str(value)))


# -- making ------------------------------------------------------------------------------------------------


def array_construct(*values: Json) -> Json:
    return [inside(value) for value in values]


def array_construct_compact(*values: Json) -> Json:
    return [inside(value) for value in values if value is not None]


def object_construct(*pairs: Json) -> Json:
    """Pairs whose key or value is NULL are left out; JSON's null stays."""
    return _paired(pairs, keep_null=False)


def object_construct_keep_null(*pairs: Json) -> Json:
    return _paired(pairs, keep_null=True)


def _paired(pairs: tuple[Json, ...], *, keep_null: bool) -> Json:
    made: dict[str, Json] = {}
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if key is None or (value is None and not keep_null):
            continue
        if shown(key) in made:
            raise Refusal(100103, "22000", f"Duplicate field key '{shown(key)}'")
        made[str(shown(key))] = inside(value)
    return made


def array_generate_range(start: Json, stop: Json, step: Json = 1) -> Json:
    if start is None or stop is None or step is None:
        return None
    if not _whole(step):
        raise Refusal(2, "22023", "Invalid argument for function ARRAY_GENERATE_RANGE: step must not be 0")
    return list(range(_whole(start), _whole(stop), _whole(step)))


def array_repeat(value: Json, count: Json) -> Json:
    return None if count is None else [inside(value)] * max(0, _whole(count))


# -- arrays ------------------------------------------------------------------------------------------------


def array_append(array: Json, value: Json) -> Json:
    return None if array is None else [*_array(array), inside(value)]


def array_prepend(array: Json, value: Json) -> Json:
    return None if array is None else [inside(value), *_array(array)]


def array_cat(left: Json, right: Json) -> Json:
    return None if left is None or right is None else _array(left) + _array(right)


def array_compact(array: Json) -> Json:
    return None if array is None else [one for one in _array(array) if one is not None]


def array_contains(value: Json, array: Json) -> bool | None:
    if array is None:
        return None
    if value is None:
        return True if None in _array(array) else None
    return key_of(value) in {key_of(one) for one in _array(array)}


def array_position(value: Json, array: Json) -> int | None:
    if array is None:
        return None
    return next((i for i, one in enumerate(_array(array)) if key_of(one) == key_of(value)), None)


def array_distinct(array: Json) -> Json:
    if array is None:
        return None
    first: dict[Any, Json] = {}
    for one in _array(array):
        first.setdefault(key_of(one), one)
    return list(first.values())


def array_except(left: Json, right: Json) -> Json:
    if left is None or right is None:
        return None
    taken = Counter(key_of(one) for one in _array(right))
    kept = []
    for one in _array(left):
        if taken[key_of(one)]:
            taken[key_of(one)] -= 1
        else:
            kept.append(one)
    return kept


def array_intersection(left: Json, right: Json) -> Json:
    if left is None or right is None:
        return None
    left_over = Counter(key_of(one) for one in _array(right))
    kept = []
    for one in _array(left):
        if left_over[key_of(one)]:
            left_over[key_of(one)] -= 1
            kept.append(one)
    return kept


def arrays_overlap(left: Json, right: Json) -> bool | None:
    if left is None or right is None:
        return None
    return bool({key_of(one) for one in _array(left)} & {key_of(one) for one in _array(right)})


def array_flatten(array: Json) -> Json:
    if array is None or any(one is None for one in _array(array)):
        return None
    return [one for part in _array(array) for one in _array(part)]


def array_insert(array: Json, position: Json, value: Json) -> Json:
    if array is None or position is None:
        return None
    items, at = list(_array(array)), _whole(position)
    if at < 0:
        at += len(items)
        items = [None] * -at + items if at < 0 else items
        at = max(at, 0)
    items += [None] * (at - len(items))
    return [*items[:at], inside(value), *items[at:]]


def array_remove(array: Json, value: Json) -> Json:
    if array is None or value is None:
        return None
    return [one for one in _array(array) if key_of(one) != key_of(value)]


def array_remove_at(array: Json, position: Json) -> Json:
    if array is None or position is None:
        return None
    items, at = list(_array(array)), _whole(position)
    if -len(items) <= at < len(items):
        del items[at]
    return items


def array_reverse(array: Json) -> Json:
    return None if array is None else _array(array)[::-1]


def array_size(array: Json) -> int | None:
    return len(array) if isinstance(array, list) else None


def array_slice(array: Json, start: Json, stop: Json) -> Json:
    if array is None or start is None or stop is None:
        return None
    return _array(array)[_whole(start) : _whole(stop)]


_RANKS = ("boolean", "number", "text", "array", "object", "null")


def _order(value: Json) -> tuple[int, Any]:
    kind, *rest = key_of(value)
    return _RANKS.index(kind), rest if kind != "object" else str(rest)


def array_sort(array: Json, ascending: Json = True, nulls_first: Json = None) -> Json:
    if array is None:
        return None
    present = sorted((one for one in _array(array) if one is not None), key=_order, reverse=not ascending)
    nulls = [None] * (len(_array(array)) - len(present))
    first = (not ascending) if nulls_first is None else nulls_first
    return nulls + present if first else present + nulls


def array_max(array: Json) -> Json:
    present = [] if array is None else [one for one in _array(array) if one is not None]
    return max(present, key=_order, default=None)


def array_min(array: Json) -> Json:
    present = [] if array is None else [one for one in _array(array) if one is not None]
    return min(present, key=_order, default=None)


def array_to_string(array: Json, separator: Json) -> str | None:
    if array is None or separator is None:
        return None
    return str(separator).join("" if one is None else str(shown(one)) for one in _array(array))


def arrays_to_object(keys: Json, values: Json) -> Json:
    if keys is None or values is None:
        return None
    pairs = zip(_array(keys), _array(values), strict=False)
    return {str(shown(key)): value for key, value in pairs if key is not None}


def arrays_zip(*arrays: Json) -> Json:
    if None in arrays:
        return None
    size = max(len(_array(array)) for array in arrays)
    return [
        {f"${n}": array[i] if i < len(array) else None for n, array in enumerate(arrays, 1)}
        for i in range(size)
    ]


def to_array(value: Json) -> Json:
    return value if value is None or isinstance(value, list) else [inside(value)]


def array_union(arrays: Json) -> Json:
    """From an array of arrays, each element as many times as in the array that contains it most often."""
    most: Counter[Any] = Counter()
    first: dict[Any, Json] = {}
    for array in arrays or []:
        counts = Counter(key_of(one) for one in array)
        first.update({key_of(one): one for one in array if key_of(one) not in first})
        most |= counts
    return [first[key] for key, count in most.items() for _ in range(count)]


# -- objects -----------------------------------------------------------------------------------------------


def object_insert(object: Json, key: Json, value: Json, update: Json = False) -> Json:
    if object is None or key is None:
        return None
    known = _object(object)
    if key in known and not update:
        raise Refusal(100103, "22000", f"Duplicate field key '{key}'")
    if value is None:
        return {name: one for name, one in known.items() if name != key}
    return {**known, str(shown(key)): inside(value)}


def object_delete(object: Json, *keys: Json) -> Json:
    if object is None:
        return None
    gone = {shown(key) for key in keys}
    return {name: value for name, value in _object(object).items() if name not in gone}


def object_pick(object: Json, *keys: Json) -> Json:
    if object is None:
        return None
    wanted = {shown(one) for key in keys for one in (key if isinstance(key, list) else [key])}
    return {name: value for name, value in _object(object).items() if name in wanted}


def object_keys(object: Json) -> Json:
    return None if object is None else sorted(_object(object))


def object_merge(left: Json, right: Json) -> Json:
    return None if left is None or right is None else {**_object(left), **_object(right)}


def object_of_pairs(pairs: Json) -> Json:
    """OBJECT_AGG, of an array of `[key, value]`."""
    made: dict[str, Json] = {}
    for key, value in pairs or []:
        if key is None or value is None:
            continue
        if key in made:
            raise Refusal(100103, "22000", f"Duplicate field key '{key}'")
        made[str(shown(key))] = value
    return made


def to_object(value: Json) -> Json:
    return None if value is None or value is NULL_VALUE else _object(value)


# -- parts -------------------------------------------------------------------------------------------------


def get(value: Json, key: Json) -> Json:
    """An element by position, or a field by name; NULL where there is none."""
    if isinstance(value, list) and isinstance(key, int | Decimal | float) and not isinstance(key, bool):
        at = _whole(key)
        return _element(value[at]) if 0 <= at < len(value) else None
    if isinstance(value, dict) and isinstance(key, str) and key in value:
        return _element(value[key])
    return None


def _element(value: Json) -> Json:
    return NULL_VALUE if value is None else value


def get_ignore_case(value: Json, key: Json) -> Json:
    if not isinstance(value, dict) or not isinstance(key, str):
        return get(value, key)
    if key in value:
        return _element(value[key])
    found = [name for name in sorted(value) if name.lower() == key.lower()]
    return _element(value[found[0]]) if found else None


_STEP = re.compile(r"""\.?(?:"((?:[^"]|"")*)"|([^.\[\]"']+))|\[(\d+)\]|\[['"](.*?)['"]\]""")


def get_path(value: Json, path: Json) -> Json:
    """The value at a path such as `a.b[1]`."""
    if path is None:
        return None
    for quoted, name, index, key in _STEP.findall(str(path)):
        value = get(value, int(index) if index else quoted.replace('""', '"') or name or key)
    return value


def typeof(value: Json) -> str | None:
    return name_of(value)


def is_of(value: Json, names: str) -> bool | None:
    """Whether a variant is of one of the kinds, which are between commas; NULL for NULL."""
    return None if value is None else name_of(value) in names.split(",")


def as_of(value: Json, names: str) -> Json:
    """A variant if it is of one of the kinds, else NULL."""
    return value if value is not None and name_of(value) in names.split(",") else None


def strip_null_value(value: Json) -> Json:
    return None if value is NULL_VALUE else value


def as_text(value: Json) -> str | None:
    return shown(value) if isinstance(value, str) else None


# -- text to variant ---------------------------------------------------------------------------------------


def parse_json(text: Json, parameter: Json = "s") -> Json:
    """The variant; `d` allows several values of a key, `s` does not."""
    if parameter not in ("d", "s"):
        words = f"Invalid parameter value: {parameter}. Reason: it is one of 'd', 's'"
        raise Refusal(1015, "22023", f"SQL compilation error:\n{words}")
    return None if text is None else read_json(str(shown(text)), allows_duplicates=parameter == "d")


def check_json(text: Json) -> str | None:
    try:
        parse_json(text)
    except Refusal as refusal:
        return str(refusal).split("|", 2)[2].strip("\u2063").removeprefix("Error parsing JSON: ")
    return None


def to_json(value: Json) -> str | None:
    return text_of(value)


def split(text: Json, separator: Json) -> Json:
    if text is None or separator is None:
        return None
    return str(text).split(str(separator)) if separator != "" else [str(text)]


def strtok_to_array(text: Json, delimiters: Json = " ") -> Json:
    if text is None or delimiters is None:
        return None
    if delimiters == "":
        return [text] if text else []
    return [part for part in re.split(f"[{re.escape(str(delimiters))}]", str(text)) if part]


def parse_url(text: Json, permissive: Json = 0) -> Json:
    """https://docs.snowflake.com/en/sql-reference/functions/parse_url"""
    if text is None:
        return None
    parts = urlsplit(str(text))
    if not parts.scheme:
        if permissive:
            return {"error": "scheme not specified"}
        raise Refusal(100139, "22000", "Error parsing URL: scheme not specified")
    query = dict(parse_qsl(parts.query, keep_blank_values=True)) or None
    try:
        port = parts.port
    except ValueError:
        port = None
    return {
        "scheme": parts.scheme, "host": parts.hostname, "port": None if port is None else str(port),
        "path": parts.path.lstrip("/") or None, "query": parts.query or None, "parameters": query,
        "fragment": parts.fragment or None,
    }  # fmt: skip


def parse_ip(text: Json, kind: Json, permissive: Json = 0) -> Json:
    """https://docs.snowflake.com/en/sql-reference/functions/parse_ip"""
    if text is None:
        return None
    host, _, prefix = str(text).partition("/")
    try:
        address = ipaddress.ip_address(host)
        network = ipaddress.ip_network(f"{host}/{prefix}", strict=False) if prefix else None
    except ValueError:
        if permissive:
            return {"error": "parsing failed"}
        raise Refusal(100140, "22000", "Error parsing IP: parsing failed") from None
    is_4 = address.version == 4
    made: dict[str, Json] = {
        "family": address.version, "host": host, "ip_fields": _fields(address), "ip_type": "inet",
        "netmask_prefix_length": int(prefix) if prefix else None, "snowflake$type": "ip_address",
    }  # fmt: skip
    if is_4:
        made |= {"ipv4": int(address)}
    made["hex_ipv4" if is_4 else "hex_ipv6"] = format(int(address), f"0{8 if is_4 else 32}X")
    if network is not None and is_4:
        made |= {
            "ipv4_range_start": int(network[0]), "ipv4_range_end": int(network[-1]),
            "hex_ipv4_range_start": format(int(network[0]), "08X"),
            "hex_ipv4_range_end": format(int(network[-1]), "08X"),
        }  # fmt: skip
    return made


def _fields(address: Any) -> Json:
    words = [int(address) >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)]
    return [int(address), 0, 0, 0] if address.version == 4 else words


def flat_rows(value: Json, path: Json, outer: Json, recursive: Json, mode: Json) -> str:
    """FLATTEN's rows as JSON: each with key, path, index, value and this.

    https://docs.snowflake.com/en/sql-reference/functions/flatten
    """
    start = get_path(value, path) if path else value
    rows = list(_flat(start, str(path or ""), bool(recursive), str(mode or "BOTH").upper()))
    if not rows and outer:
        rows = [(None, str(path or ""), None, None, start)]
    return json.dumps(
        [{"k": k, "p": p, "i": i, "v": text_of(v), "t": text_of(t)} for k, p, i, v, t in rows],
        ensure_ascii=False,
    )


def _flat(value: Json, path: str, recursive: bool, mode: str) -> Any:
    if isinstance(value, list) and mode in ("BOTH", "ARRAY"):
        items: list[Any] = [(None, f"{path}[{i}]", i, one) for i, one in enumerate(value)]
    elif isinstance(value, dict) and mode in ("BOTH", "OBJECT"):
        items = [(name, _joined(path, name), None, value[name]) for name in sorted(value)]
    else:
        if recursive and isinstance(value, list | dict):
            yield from _deeper(value, path, mode)
        return
    for name, place, index, one in items:
        yield name, place, index, _element(one), value
        if recursive:
            yield from _flat(one, place, recursive, mode)


def _deeper(value: Json, path: str, mode: str) -> Any:
    if isinstance(value, list):
        for i, one in enumerate(value):
            yield from _flat(one, f"{path}[{i}]", True, mode)
    else:
        for name in sorted(value):
            yield from _flat(value[name], _joined(path, name), True, mode)


def _joined(path: str, name: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        return f"{path}.{name}" if path else name
    return f"{path}['{name}']"


def decoded(text: Json) -> str | None:
    return None if text is None else base64.b64decode(str(text)).decode()


def whole_number(value: Json) -> str | None:
    """AS_INTEGER and AS_DECIMAL as text, which SQL casts."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return f"{number_formats.EXACT.plus(Decimal(value)):f}"


def real_number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | Decimal | float) and not isinstance(value, bool) else None
