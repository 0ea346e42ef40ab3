"""Functions of texts, hashes and numbers, as calls of the library."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from sqlglot import Expr, exp

from sfml_local.core.expressions.building import Arguments, Builder
from sfml_local.core.expressions.calls import as_text, bound, call, cast, json, kind, known_type, typed, whole
from sfml_local.core.rewriting import Rewriting

_SPACE = " "
_WORD_BREAKS = ' \t\n\r\f\v!?@"^#$&~_,.:;+-*%/|\\[](){}<>'


def _library(
    name: str, kinds: str, *defaults: Any, before: tuple[Any, ...] = (), after: tuple[Any, ...] = ()
) -> Builder:
    """A call with texts (t), integers (n) and unchanged values (v); missing arguments are taken from `defaults`."""

    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        given: list[Any] = []
        for index, one in enumerate(arguments):
            sort = kinds[index]
            given.append(as_text(one) if sort == "t" else whole(one) if sort == "n" else one)
        missing = len(kinds) - len(given)
        given += defaults[len(defaults) - missing :] if missing else ()
        return call(name, *before, *given, *after)

    return build


def _trim(sides: str) -> Builder:
    return _library("sf_trimmed", "tt", _SPACE, after=(sides,))


def _pad(side: str) -> Builder:
    texts = _library("sf_padded", "tnt", _SPACE, after=(side,))

    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return texts(arguments, rewriting)

    return build


def _decoded(name: str, *, is_try: bool, text: bool) -> Builder:
    prefix = "try_" if is_try else ""

    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        rest = [] if name == "hex_decode" else (arguments[1:] or [exp.Literal.string("")])
        found = call(f"sf_{prefix}{name}", as_text(arguments[0]), *rest)
        return call(f"sf_{prefix}utf8", found) if text else found

    return build


def _hex_of(name: str) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return call("unhex", _hashed(name, arguments))

    return build


def _hash(name: str) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return _hashed(name, arguments)

    return build


def _hashed(name: str, arguments: Arguments) -> Expr:
    """A hash by DuckDB's own function, and of another size than its 256 bits by ours, which takes 20 times as long."""
    value, *size = arguments
    if not size or (isinstance(size[0], exp.Literal) and size[0].name == "256"):
        return call(name, _bytes(value))
    return call("sf_sha2", _bytes(value), *size)


def _bytes(value: Expr) -> Expr:
    """Text or bytes; values of other types become texts."""
    if (type := known_type(value)) is not None:
        return value.copy() if type == "BLOB" else call("encode", as_text(value))
    return bound(_bytes_or_text, value)


def _bytes_or_text(value: Expr) -> Expr:
    is_bytes = exp.EQ(this=kind(value), expression=exp.Literal.string("BLOB"))
    text = call("encode", as_text(value))
    return exp.Case(ifs=[exp.If(this=is_bytes, true=cast(value.copy(), "BLOB"))], default=text)


def _md5_number(part: str) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return cast(call("sf_md5_number", _bytes(arguments[0]), part), "DECIMAL(38, 0)")

    return build


def _encoded(name: str, *defaults: Any) -> Builder:
    def build(arguments: Arguments, rewriting: Rewriting) -> Expr:
        return call(name, _bytes(arguments[0]), *arguments[1:], *defaults[len(arguments) - 1 :])

    return build


def _all_matches(arguments: Arguments, rewriting: Rewriting) -> Expr:
    found = _library("sf_regexp_substr_all", "ttnntn", 1, 1, "c", None)(_with_group(arguments), rewriting)
    return json(found)


def _substr(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return _library("sf_regexp_substr", "ttnntn", 1, 1, "c", None)(_with_group(arguments), rewriting)


def _with_group(arguments: Arguments) -> Arguments:
    """An argument for the group implies the parameter `e`."""
    return arguments


def _octets(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return call("octet_length", _bytes(arguments[0]))


def _bits(arguments: Arguments, rewriting: Rewriting) -> Expr:
    return exp.Mul(this=_octets(arguments, rewriting), expression=exp.Literal.number(8))


def _split_part(arguments: Arguments, rewriting: Rewriting) -> Expr:
    text, separator, part = arguments
    position = call("coalesce", call("nullif", whole(part), 0), 1)
    return typed(bound(partial(call, "split_part"), as_text(text), as_text(separator), position), "VARCHAR")


BUILDERS: dict[str, Builder] = {
    "TRIM": _trim("LR"),
    "LTRIM": _trim("L"),
    "RTRIM": _trim("R"),
    "LPAD": _pad("L"),
    "RPAD": _pad("R"),
    "STRTOK": _library("sf_strtok", "ttn", _SPACE, 1),
    "SPLIT_PART": _split_part,
    "SOUNDEX": _library("sf_soundex", "t"),
    "SOUNDEX_P123": _library("sf_soundex_p123", "t"),
    "EDITDISTANCE": _library("sf_edit_distance", "ttn", None),
    "JAROWINKLER_SIMILARITY": _library("sf_jaro_winkler", "tt"),
    "INITCAP": _library("sf_initcap", "tt", _WORD_BREAKS),
    "TRANSLATE": _library("sf_translated", "ttt"),
    "INSERT": _library("sf_inserted", "tnnt"),
    "HEX_ENCODE": _encoded("sf_hex_encode", 1),
    "BASE64_ENCODE": _encoded("sf_base64_encode", 0, ""),
    "OCTET_LENGTH": _octets,
    "BIT_LENGTH": _bits,
    "REGEXP_REPLACE": _library("sf_regexp_replace", "tttnnt", "", 1, 0, "c"),
    "REGEXP_COUNT": _library("sf_regexp_count", "ttnt", 1, "c"),
    "REGEXP_INSTR": _library("sf_regexp_instr", "ttnnntn", 1, 1, 0, "c", None),
    "REGEXP_SUBSTR": _substr,
    "REGEXP_SUBSTR_ALL": _all_matches,
    "REGEXP_LIKE": _library("sf_regexp_like", "ttt", "c"),
    "RLIKE": _library("sf_regexp_like", "ttt", "c"),
    "WIDTH_BUCKET": _library("sf_width_bucket", "vvvn"),
    "MD5_NUMBER_LOWER64": _md5_number("LOWER"),
    "MD5_NUMBER_UPPER64": _md5_number("UPPER"),
    "MD5_BINARY": _hex_of("md5"),
    "SHA1_BINARY": _hex_of("sha1"),
    "SHA2_BINARY": _hex_of("sha256"),
}


def _more() -> Iterator[tuple[str, Builder]]:
    for name in ("MD5", "MD5_HEX"):
        yield name, _hash("md5")
    for name in ("SHA1", "SHA1_HEX"):
        yield name, _hash("sha1")
    for name in ("SHA2", "SHA2_HEX"):
        yield name, _hash("sha256")
    for is_try in (False, True):
        prefix = "TRY_" if is_try else ""
        for word, function in (("HEX", "hex_decode"), ("BASE64", "base64_decode")):
            for end, text in (("STRING", True), ("BINARY", False)):
                yield f"{prefix}{word}_DECODE_{end}", _decoded(function, is_try=is_try, text=text)


BUILDERS |= dict(_more())
