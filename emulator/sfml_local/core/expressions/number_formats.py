"""Numbers as text and back, by the elements of Snowflake's numeric formats.

https://docs.snowflake.com/en/sql-reference/sql-format-models
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
_TOKENS = re.compile(
    r'"(?:[^"]|"")*"|FM|FX|TM9\(\w+,\d+\)|TM9|TME|TM|MI|S|\$|%|B|E{2,7}|D|G|[.,09X_]|.',
    re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_MINIMAL = {"TM", "TM9", "TME"}


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the literals around it, the digits before and after the point, and where the sign goes."""

    before: str
    after: str
    whole: str
    places: str
    has_point: bool
    sign: str
    """`default`, or S or MI with `<` before the number and `>` after it."""
    minimal: str
    dollar: bool
    percent: bool
    blank_zero: bool
    compact: bool
    exponent: str


@lru_cache(maxsize=256)
def read_format(text: str) -> Format | None:
    """The parsed format; None if the text is not a format."""
    before, after, whole, places, sign, minimal, exponent = "", "", "", "", "default", "", ""
    point = dollar = percent = blank_zero = compact = False
    for token in _TOKENS.findall(text):
        upper = token.upper()
        started = bool(whole or places or point or minimal)
        literal = token[1:-1].replace('""', '"') if token.startswith('"') and len(token) > 1 else None
        if (literal is None and upper in _MINIMAL) or upper.startswith("TM9("):
            minimal = token
        elif upper in ("0", "9", "X"):
            if point:
                places += token
            else:
                whole += token
        elif upper in (".", "D") and (started or upper == "D"):
            point = True
        elif upper in (",", "G") and started and not point:
            whole += ","
        elif upper in ("S", "MI"):
            sign = f"{'>' if started else '<'}{upper}"
        elif upper == "$":
            dollar = True
        elif upper == "%":
            percent, after = True, f"{after}%"
        elif upper == "B":
            blank_zero = True
        elif upper == "FM":
            compact = not compact
        elif upper in ("FX", "_"):
            continue
        elif upper.startswith("EE"):
            exponent = token
        elif literal is None and token.isalpha():
            return None
        elif started:
            after += token if literal is None else literal
        else:
            before += token if literal is None else literal
    if not (whole or places or minimal):
        return None
    return Format(
        before, after, whole, places, point, sign, minimal, dollar, percent, blank_zero, compact, exponent
    )


# -- to text -----------------------------------------------------------------------------------------------


def number_text(value: Any, format: str) -> str | None:
    """The value in a format; None if the format is invalid."""
    read = read_format(format)
    if read is None:
        return None
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if read.percent:
        number = EXACT.multiply(number, Decimal(100))
    if read.minimal:
        body = _minimal(number, read, is_float=isinstance(value, float))
    elif "X" in read.whole.upper():
        body = _hexadecimal(number, read)
    elif read.exponent:
        body = _scientific(number, read)
    else:
        body = _fixed(number, read)
    return f"{read.before}{body}{read.after}"


def _fixed(number: Decimal, read: Format) -> str:
    size = Decimal(1).scaleb(-len(read.places))
    rounded = number.copy_abs().quantize(size, ROUND_HALF_UP, EXACT)
    whole, _, places = f"{rounded:f}".partition(".")
    whole = whole.lstrip("0")
    positions = sum(element != "," for element in read.whole)
    if len(whole) > positions:
        digits = re.sub(r"[09]", "#", read.whole) + ("." if read.has_point else "") + "#" * len(read.places)
    else:
        digits = _whole_digits(whole.rjust(positions), read) + _place_digits(places, read)
    return _signed(digits, number < 0, read)


def _whole_digits(digits: str, read: Format) -> str:
    """The digits before the point: zeros from the first `0` of the format on, and one before the point."""
    shown, zeros, position = "", False, 0
    for element in read.whole:
        if element == ",":
            shown += "," if shown.strip() else " "
            continue
        zeros = zeros or element == "0"
        digit = digits[position]
        position += 1
        is_last = position == len(digits)
        if digit == " " and (zeros or (is_last and not read.blank_zero)):
            digit = "0"
        shown += digit
    return shown


def _place_digits(places: str, read: Format) -> str:
    if not read.has_point:
        return ""
    kept = max((i + 1 for i, e in enumerate(read.places) if e == "0"), default=0)
    shown = places[: max(kept, len(places.rstrip("0")))]
    if read.compact and not shown:
        return ""
    return "." + (shown if read.compact else shown.ljust(len(read.places)))


def _signed(digits: str, negative: bool, read: Format) -> str:
    number = digits.lstrip(" ")
    padding = "" if read.compact else " " * (len(digits) - len(number))
    dollar = "$" if read.dollar else ""
    minus = "-" if negative else "" if read.compact else " "
    match read.sign:
        case "default":
            return f"{padding}{minus}{dollar}{number}"
        case "<S":
            return f"{padding}{'-' if negative else '+'}{dollar}{number}"
        case ">S":
            return f"{padding}{dollar}{number}{'-' if negative else '+'}"
        case "<MI":
            return f"{minus}{padding}{dollar}{number}"
        case _:
            return f"{padding}{dollar}{number}{minus}"


def _hexadecimal(number: Decimal, read: Format) -> str:
    value = int(number.quantize(Decimal(1), ROUND_HALF_UP, EXACT))
    positions = sum(element != "," for element in read.whole)
    has_sign = read.sign != "default"
    shown = format(abs(value) if has_sign or value >= 0 else 16**positions + value, "X")
    shown = shown if "X" in read.whole else shown.lower()
    if len(shown) > positions:
        shown = "#" * positions
    else:
        zeros = read.whole.find("0")
        filled = shown.rjust(positions - zeros, "0") if zeros >= 0 else shown
        shown = filled.rjust(positions)
    if not has_sign:
        return shown.lstrip() if read.compact else shown
    return _signed(shown, value < 0, read)


def _minimal(number: Decimal, read: Format, *, is_float: bool) -> str:
    sign = "-" if number < 0 else ""
    if read.sign != "default":
        sign = "-" if number < 0 else "+" if read.sign.endswith("S") else " "
    shown = _minimal_digits(number.copy_abs(), read, is_float=is_float)
    dollar = "$" if read.dollar else ""
    return f"{dollar}{shown}{sign}" if read.sign.startswith(">") else f"{sign}{dollar}{shown}"


def _minimal_digits(number: Decimal, read: Format, *, is_float: bool) -> str:
    kind = read.minimal.upper()
    plain = f"{number:f}"
    if is_float or read.percent:
        plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    scientific = _exponential(number, read.minimal[0] == "t")
    if kind == "TME":
        return scientific
    if kind.startswith("TM9("):
        limit, size = kind[4:-1].split(",")
        whole, point, places = plain.partition(".")
        groups = re.sub(rf"(?<=\d)(?=(\d{{{size}}})+$)", ",", whole)
        places = places if limit == "ALL" else places[: int(limit)]
        return groups + (point + places if places else "")
    return scientific if kind == "TM" and len(scientific) < len(plain) else plain


def _exponential(number: Decimal, lower: bool) -> str:
    letter = "e" if lower else "E"
    if not number:
        return f"0{letter}0"
    exponent = number.adjusted()
    digits = f"{number.scaleb(-exponent, EXACT):f}"
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{digits}{letter}{exponent}"


def _scientific(number: Decimal, read: Format) -> str:
    exponent = number.adjusted() if number else 0
    size = Decimal(1).scaleb(-len(read.places))
    mantissa = number.copy_abs().scaleb(-exponent, EXACT).quantize(size, ROUND_HALF_UP, EXACT)
    width = len(read.exponent) - 2
    shown = str(exponent) if not width else f"{'-' if exponent < 0 else '+'}{abs(exponent):0{width}d}"
    digits = f"{mantissa:f}{read.exponent[0]}{shown}"
    return _signed(digits, number < 0, read)


# -- from text ---------------------------------------------------------------------------------------------


def plain_number(text: str) -> Decimal | None:
    """The number in a text in the usual form; None if it is not a number."""
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped) is None:
        return None
    try:
        return Decimal(stripped)
    except InvalidOperation:
        return None


def number_in_format(text: str, formats: str) -> Decimal | None:
    """The number in a text in one of the formats between `|`; None if it fits none."""
    for one in formats.split("|"):
        if one.strip().upper() == "AUTO":
            number = plain_number(text)
        else:
            read = read_format(one)
            number = None if read is None else _parsed(text, read)
        if number is not None:
            return number
    return None


def _parsed(text: str, read: Format) -> Decimal | None:
    stripped = text.strip()
    if not (stripped.startswith(read.before.strip()) and stripped.endswith(read.after.strip())):
        return None
    stripped = stripped[len(read.before.strip()) : len(stripped) - len(read.after.strip())].strip()
    trailing = read.sign.startswith(">")
    match = re.fullmatch(r"([+-]?)\s*(\$?)\s*(.*?)\s*([+-]?)", stripped, re.DOTALL)
    if match is None or bool(match[2]) != read.dollar or (match[1] if trailing else match[4]):
        return None
    negative = "-" in (match[1] or match[4])
    number = _parsed_digits(match[3], read)
    if number is None:
        return None
    number = -number if negative else number
    return EXACT.divide(number, Decimal(100)) if read.percent else number


def _parsed_digits(text: str, read: Format) -> Decimal | None:
    if read.minimal:
        return plain_number(text) if not text.startswith(("+", "-")) else None
    if "X" in read.whole.upper():
        fits = re.fullmatch(r"[0-9A-Fa-f]+", text) and len(text) <= len(read.whole)
        return Decimal(int(text, 16)) if fits else None
    match = re.fullmatch(r"([\d,]*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?", text, re.ASCII)
    if match is None or (match[3] is not None) != bool(read.exponent):
        return None
    if (match[2] is not None and not read.has_point) or not _fits(match[1], match[2] or "", read):
        return None
    digits = f"{match[1].replace(',', '') or '0'}.{match[2] or '0'}E{match[3] or 0}"
    return Decimal(digits)


def _fits(whole: str, places: str, read: Format) -> bool:
    digits, pattern = whole.replace(",", ""), read.whole.replace(",", "")
    needed = len(pattern) - pattern.find("0") if "0" in pattern else 0
    if len(digits) > len(pattern) or len(digits) < needed or len(places) > len(read.places):
        return False
    if not digits and not read.blank_zero and not places:
        return False
    if "," not in whole:
        return True
    groups = [len(group) for group in whole.split(",")[1:]]
    wanted = [len(group) for group in read.whole.split(",")[1:]]
    return len(groups) <= len(wanted) and groups == wanted[len(wanted) - len(groups) :]
