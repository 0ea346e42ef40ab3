"""Functions of texts, hashes and numbers that DuckDB lacks, or that return other results there."""

from __future__ import annotations

import base64
import binascii
import calendar
import hashlib
import math
import random
import re
import string
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sfml_local.core.errors import not_emulated
from sfml_local.core.expressions.number_formats import EXACT
from sfml_local.core.expressions.number_rules import MOST_DIGITS
from sfml_local.core.expressions.refusals import Refusal, too_long


def trimmed(text: str | None, characters: str | None, sides: str) -> str | None:
    """TRIM, LTRIM and RTRIM of any of the characters."""
    if text is None or characters is None:
        return None
    text = text.lstrip(characters) if "L" in sides else text
    return text.rstrip(characters) if "R" in sides else text


def padded(text: str | None, length: int | None, pad: str | None, side: str) -> str | None:
    if text is None or length is None or pad is None:
        return None
    length = max(0, int(length))
    missing = length - len(text)
    if missing <= 0:
        return text[:length]
    filling = (pad * (missing // len(pad) + 1))[:missing] if pad else ""
    return filling + text if side == "L" else text + filling


def padded_bytes(value: bytes | None, length: int | None, pad: bytes | None, side: str) -> bytes | None:
    if value is None or length is None or pad is None:
        return None
    missing = int(length) - len(value)
    filling = (pad * (missing // max(1, len(pad)) + 1))[: max(0, missing)]
    return (filling + value if side == "L" else value + filling)[: int(length)]


def strtok(text: str | None, delimiters: str | None, number: int | None) -> str | None:
    """https://docs.snowflake.com/en/sql-reference/functions/strtok"""
    if text is None or delimiters is None or number is None:
        return None
    parts = [part for part in re.split(f"[{re.escape(delimiters)}]", text) if part] if delimiters else [text]
    return parts[int(number) - 1] if 1 <= int(number) <= len(parts) else None


_CODES = {
    letter: str(code)
    for code, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1)
    for letter in letters
}


def soundex(text: str | None) -> str | None:
    """https://docs.snowflake.com/en/sql-reference/functions/soundex"""
    return None if text is None else _soundex(text, repeats_of_first=False)


def soundex_p123(text: str | None) -> str | None:
    """SOUNDEX that keeps a second letter of the first one's code."""
    return None if text is None else _soundex(text, repeats_of_first=True)


def _soundex(text: str, *, repeats_of_first: bool) -> str:
    letters = [letter for letter in text if letter.isascii() and letter.isalpha()]
    if not letters:
        return ""
    first, previous = letters[0], "" if repeats_of_first else _CODES.get(letters[0].lower(), "")
    code = first
    for letter in letters[1:]:
        found = _CODES.get(letter.lower(), "")
        if found and found != previous:
            code += found
        if letter.lower() not in "hw":
            previous = found
    return code[:4].ljust(4, "0")


def edit_distance(left: str | None, right: str | None, most: int | None) -> int | None:
    """The Levenshtein distance, at most `most`."""
    if left is None or right is None:
        return None
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        previous, row = row, [i]
        for j, other in enumerate(right, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (one != other)))
    return row[-1] if most is None else min(row[-1], int(most))


def jaro_winkler(left: str | None, right: str | None) -> int | None:
    """From 0 to 100, ignoring case; a common prefix of any length counts, as the documented values show.

    https://docs.snowflake.com/en/sql-reference/functions/jarowinkler_similarity
    """
    if left is None or right is None:
        return None
    left, right = left.lower(), right.lower()
    if not left or not right:
        return 0
    jaro = _jaro(left, right)
    same = next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    return int((jaro + same * 0.1 * (1 - jaro)) * 100 + 1e-9) if jaro < 1 else 100


def _jaro(left: str, right: str) -> float:
    reach = max(0, max(len(left), len(right)) // 2 - 1)
    taken = [False] * len(right)
    matches = []
    for i, one in enumerate(left):
        for j in range(max(0, i - reach), min(len(right), i + reach + 1)):
            if not taken[j] and right[j] == one:
                taken[j] = True
                matches.append(one)
                break
    if not matches:
        return 0.0
    others = [one for one, is_taken in zip(right, taken, strict=True) if is_taken]
    moved = sum(a != b for a, b in zip(matches, others, strict=True)) // 2
    found = len(matches)
    return (found / len(left) + found / len(right) + (found - moved) / found) / 3


def initcap(text: str | None, delimiters: str | None) -> str | None:
    """https://docs.snowflake.com/en/sql-reference/functions/initcap"""
    if text is None or delimiters is None:
        return None
    shown, starts = "", True
    for letter in text:
        if letter in delimiters:
            shown, starts = shown + letter, True
        else:
            shown, starts = shown + (letter.upper() if starts else letter.lower()), False
    return shown


def translated(text: str | None, source: str | None, target: str | None) -> str | None:
    if text is None or source is None or target is None:
        return None
    table: dict[int, str | None] = {}
    for i, letter in enumerate(source):
        table.setdefault(ord(letter), target[i] if i < len(target) else None)
    return text.translate(table)


def inserted(text: str | None, position: int | None, length: int | None, new: str | None) -> str | None:
    if text is None or position is None or length is None or new is None:
        return None
    start = int(position) - 1
    return text[:start] + new + text[start + int(length) :]


# -- encodings and hashes ------------------------------------------------------------------------------------


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def hex_encode(value: Any, upper: Any) -> str | None:
    if value is None or upper is None:
        return None
    shown = _bytes(value).hex()
    return shown.upper() if int(upper) else shown


def hex_decode(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError):
        raise _undecodable(text, "hex") from None


def _undecodable(text: str, kind: str) -> Refusal:
    return Refusal(100115, "22000", f"The following string is not a legal {kind}-encoded value: '{text}'")


def _alphabet(alphabet: str | None) -> tuple[bytes, bytes]:
    given = (alphabet or "") + "+/="[len(alphabet or "") :]
    return given[:2].encode(), given[2:3].encode()


def base64_encode(value: Any, length: Any, alphabet: str | None) -> str | None:
    if value is None or length is None or alphabet is None:
        return None
    letters, padding = _alphabet(alphabet)
    shown = base64.b64encode(_bytes(value), letters).replace(b"=", padding).decode()
    size = int(length)
    return "\n".join(shown[i : i + size] for i in range(0, len(shown), size)) if size else shown


def base64_decode(text: str | None, alphabet: str | None) -> bytes | None:
    if text is None or alphabet is None:
        return None
    letters, padding = _alphabet(alphabet)
    try:
        plain = re.sub(rb"\s", b"", text.encode()).replace(padding, b"=")
        return base64.b64decode(plain, letters, validate=True)
    except (binascii.Error, ValueError):
        raise _undecodable(text, "Base64") from None


def utf8(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        raise Refusal(100102, "22000", "Invalid UTF8 detected in string") from None


def sha2(value: Any, size: Any) -> str | None:
    if value is None or size is None:
        return None
    if int(size) not in (224, 256, 384, 512):
        raise Refusal(1044, "42P13", f"SHA2: invalid digest size {size}")
    return hashlib.new(f"sha{int(size)}", _bytes(value)).hexdigest()


def sha1(value: Any) -> str | None:
    return None if value is None else hashlib.sha1(_bytes(value), usedforsecurity=False).hexdigest()


def md5(value: Any) -> str | None:
    return None if value is None else hashlib.md5(_bytes(value), usedforsecurity=False).hexdigest()


def md5_number(value: Any, part: str) -> str | None:
    """MD5_NUMBER_LOWER64 and UPPER64, as text that SQL casts."""
    digest = md5(value)
    if digest is None:
        return None
    return str(int(digest[:16] if part == "UPPER" else digest[16:], 16))


# -- regular expressions -------------------------------------------------------------------------------------

_CLASSES = {
    "alpha": "A-Za-z", "digit": "0-9", "alnum": "A-Za-z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s",
    "punct": re.escape(string.punctuation), "xdigit": "0-9A-Fa-f", "word": r"\w", "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e", "graph": r"\x21-\x7e",
}  # fmt: skip
_CLASS = re.compile(r"\[:(\w+):\]")


@lru_cache(maxsize=256)
def _compiled(pattern: str, parameters: str) -> re.Pattern[str]:
    flags = re.NOFLAG
    for letter in parameters:
        match letter:
            case "i":
                flags |= re.IGNORECASE
            case "c":
                flags &= ~re.IGNORECASE
            case "m":
                flags |= re.MULTILINE
            case "s":
                flags |= re.DOTALL
            case "e":
                pass
            case _:
                raise Refusal(100048, "2201B", f"Invalid regular expression parameters: '{parameters}'")
    posix = _CLASS.sub(lambda match: _CLASSES.get(match[1], match[0]), pattern)
    try:
        return re.compile(posix, flags | re.ASCII)
    except re.error as cause:
        raise Refusal(100048, "2201B", f"Invalid regular expression: '{pattern}', {cause}") from None


def _matches(text: str, pattern: str, position: Any, parameters: str) -> Iterator[re.Match[str]]:
    if int(position) < 1:
        raise Refusal(1044, "22023", f"Invalid position '{position}': it starts at 1")
    return _compiled(pattern, parameters).finditer(text, int(position) - 1)


def _nth(text: str, pattern: str, position: Any, occurrence: Any, parameters: str) -> re.Match[str] | None:
    for number, match in enumerate(_matches(text, pattern, position, parameters), 1):
        if number == int(occurrence):
            return match
    return None


def _group(pattern: str, parameters: str, group: Any) -> int:
    """The number of the requested group; with `e` the first one, if the pattern has groups."""
    if group is not None:
        return int(group)
    return 1 if "e" in parameters and _compiled(pattern, parameters).groups else 0


def regexp_like(text: Any, pattern: Any, parameters: Any) -> bool | None:
    """Whether the whole text matches the pattern."""
    if text is None or pattern is None or parameters is None:
        return None
    return _compiled(pattern, parameters).fullmatch(text) is not None


def regexp_substr(
    text: Any, pattern: Any, position: Any, occurrence: Any, parameters: Any, group: Any
) -> str | None:
    if None in (text, pattern, position, occurrence, parameters):
        return None
    match = _nth(text, pattern, position, occurrence, parameters)
    wanted = _group(pattern, parameters, group)
    if match is None or wanted > _compiled(pattern, parameters).groups:
        return None
    return match[wanted]


def regexp_substr_all(
    text: Any, pattern: Any, position: Any, occurrence: Any, parameters: Any, group: Any
) -> list[str | None] | None:
    if None in (text, pattern, position, occurrence, parameters):
        return None
    wanted = _group(pattern, parameters, group)
    if wanted > _compiled(pattern, parameters).groups:
        return []
    found = [match[wanted] for match in _matches(text, pattern, position, parameters)]
    return found[int(occurrence) - 1 :]


def regexp_count(text: Any, pattern: Any, position: Any, parameters: Any) -> int | None:
    if None in (text, pattern, position, parameters):
        return None
    return sum(1 for _ in _matches(text, pattern, position, parameters))


def regexp_instr(
    text: Any, pattern: Any, position: Any, occurrence: Any, option: Any, parameters: Any, group: Any
) -> int | None:
    if None in (text, pattern, position, occurrence, option, parameters):
        return None
    match = _nth(text, pattern, position, occurrence, parameters)
    wanted = _group(pattern, parameters, group)
    if match is None or wanted > _compiled(pattern, parameters).groups:
        return 0
    return 1 + (match.end(wanted) if int(option) else match.start(wanted))


def regexp_replace(
    text: Any, pattern: Any, replacement: Any, position: Any, occurrence: Any, parameters: Any
) -> str | None:
    if None in (text, pattern, replacement, position, occurrence, parameters):
        return None
    if pattern == "":
        return str(text)
    shown, end = "", 0
    for number, match in enumerate(_matches(text, pattern, position, parameters), 1):
        if int(occurrence) not in (0, number):
            continue
        shown += text[end : match.start()] + _expanded(replacement, match)
        end = match.end()
    return f"{shown}{text[end:]}"


def _expanded(replacement: str, match: re.Match[str]) -> str:
    groups = match.re.groups
    return re.sub(
        r"\\(\d)|\\(.)",
        lambda found: (
            found[2] if found[1] is None else (match[int(found[1])] or "" if int(found[1]) <= groups else "")
        ),
        replacement,
    )


# -- numbers -------------------------------------------------------------------------------------------------


def width_bucket(value: Any, low: Any, high: Any, count: Any) -> int | None:
    """https://docs.snowflake.com/en/sql-reference/functions/width_bucket"""
    if None in (value, low, high, count):
        return None
    if low == high or int(count) < 1:
        raise Refusal(100051, "22023", "Invalid bounds or count for WIDTH_BUCKET")
    value, low, high, count = float(value), float(low), float(high), int(count)
    if low > high:
        value, low, high = -value, -low, -high
    if value < low:
        return 0
    return count + 1 if value >= high else 1 + int((value - low) * count / (high - low))


_STORED = {
    "DATE": "DATE[SB4]",
    "TIME": "TIME(9)[SB8]",
    "TIMESTAMP": "TIMESTAMP_NTZ(9)[SB16]",
    "DOUBLE": "FLOAT[DOUBLE]",
    "BOOLEAN": "BOOLEAN[SB1]",
}
"""DuckDB's name of a type of one size → the name that SYSTEM$TYPEOF tells."""


def type_name(held: str) -> str:
    """The name of a type whose values are all stored in as many bytes."""
    if held not in _STORED:
        refusal = not_emulated("SYSTEM$TYPEOF of a number, text or VARIANT that is no literal")
        raise Refusal(refusal.errno, refusal.sqlstate, refusal.message)
    return _STORED[held]


_ROUNDINGS = {"TRUNC": ROUND_DOWN, "HALF_TO_EVEN": ROUND_HALF_EVEN, "HALF_AWAY_FROM_ZERO": ROUND_HALF_UP}


def rounded(number: str | None, places: int | None, how: str) -> str | None:
    """A number, as text, rounded to so many decimal places; negative places are those before the point."""
    if number is None or places is None:
        return None
    rounding = _ROUNDINGS.get(how.upper())
    if rounding is None:
        raise Refusal(1015, "22023", f"Invalid rounding mode '{how}'")
    return _quantized(number, places, rounding)


def stepped(number: str | None, places: int | None, function: str) -> str | None:
    """A number, as text, after CEIL or FLOOR with so many decimal places."""
    if number is None or places is None:
        return None
    found = _quantized(number, places, ROUND_CEILING if function == "ceil" else ROUND_FLOOR)
    if places < 0 and len(found.lstrip("-0")) > MOST_DIGITS:
        raise too_long(Decimal(found), 0)
    return found


def _quantized(number: str, places: int, rounding: str) -> str:
    value = Decimal(number)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or places >= -exponent:
        return number
    return f"{value.quantize(Decimal(1).scaleb(-max(places, -40)), rounding, EXACT):f}"


def months_between(left: Any, right: Any) -> float | None:
    """Months between two moments; an integer if both are the same day of the month, or the last of a month."""
    if left is None or right is None:
        return None
    months = (left.year - right.year) * 12 + left.month - right.month
    if left.day == right.day or (_is_last_day(left) and _is_last_day(right)):
        return float(months)
    return float(months + (_seconds_of_month(left) - _seconds_of_month(right)) / (31 * 86400))


def _is_last_day(moment: Any) -> bool:
    return bool(moment.day == calendar.monthrange(moment.year, moment.month)[1])


def _seconds_of_month(moment: Any) -> float:
    hour, minute, second, micro = (
        getattr(moment, name, 0) for name in ("hour", "minute", "second", "microsecond")
    )
    return float(moment.day * 86400 + hour * 3600 + minute * 60 + second + micro / 1e6)


# -- random values -------------------------------------------------------------------------------------------

_LETTERS = string.ascii_letters + string.digits


def randstr(length: Any, seed: Any) -> str | None:
    """A text of letters and digits, determined by the seed."""
    if length is None or seed is None:
        return None
    generator = random.Random(int(seed))
    return "".join(generator.choices(_LETTERS, k=max(0, int(length))))


def zipf(exponent: Any, count: Any, seed: Any) -> int | None:
    """A number from 1 to `count` with Zipf's distribution, determined by the seed."""
    if None in (exponent, count, seed):
        return None
    sums = _zipf_sums(float(exponent), int(count))
    wanted = random.Random(int(seed)).random() * sums[-1]
    return 1 + next((i for i, total in enumerate(sums) if wanted <= total), int(count) - 1)


@lru_cache(maxsize=16)
def _zipf_sums(exponent: float, count: int) -> tuple[float, ...]:
    total, sums = 0.0, []
    for rank in range(1, count + 1):
        total += rank**-exponent
        sums.append(total)
    return tuple(sums)


def normal(mean: Any, deviation: Any, seed: Any) -> float | None:
    if None in (mean, deviation, seed):
        return None
    return random.Random(int(seed)).gauss(float(mean), float(deviation))


def share(seed: Any) -> float | None:
    """A number from 0 to 1, determined by the seed."""
    return None if seed is None else random.Random(int(seed)).random()


def changes(values: list[Any] | None) -> int | None:
    """The number of values that differ from the one before."""
    return None if values is None else sum(a != b for a, b in pairwise(values))


def checked_float(value: float | None, name: str, argument: Any) -> float | None:
    """The float, if it is a number; raises for an argument outside of the function's domain."""
    if value is None or not math.isnan(value):
        return value
    raise Refusal(100038, "22018", f"Invalid floating point operation: {name}({argument})")
