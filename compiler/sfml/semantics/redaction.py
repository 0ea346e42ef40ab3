"""Removes the secrets of statements from texts; every statement in a log or a history passes through here.

Snowflake hides secrets of statements in its history, and hides a statement completely if it cannot be parsed,
since a secret in it cannot be recognized. A log contains more than statements: tracebacks, messages, strings
in their Python or JSON form with quotes escaped. So text is read token by token, and the value after each name of a
secret is hidden; a literal that does not end is hidden to the end of the text.
https://docs.snowflake.com/en/release-notes/bcr-bundles/2023_01/bcr-936
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

HIDDEN = "****"

_NAMES = (
    r"PASSWORD|PASSWD|PASSPHRASE|PASSCODE|PWD|SECRET|SECRET_STRING|SECRET_?KEY|ACCESS_?KEY|PRIVATE_?KEY|MASTER_?KEY"
    r"|ACCOUNT_?KEY|API_?KEY|KEY_ID|TOKEN|CREDENTIALS?|CONNECTION_?STRING|AUTHORIZATION|SIGNATURE"
)
"""Endings of names of secrets: `AWS_SECRET_KEY` is one, `RSA_PUBLIC_KEY` is not."""

_SECRET = re.compile(rf"\w*(?:{_NAMES})(?:_?\d)?", re.IGNORECASE)
_TELLTALE = re.compile(rf"{_NAMES}|PRIVATE KEY|://|AKIA|ASIA|eyJ|gh[pousr]_|xox", re.IGNORECASE)
"""Words of which a line with a secret contains at least one; most lines contain none, and pass quickly."""

_TOKEN = re.compile(
    r"(?P<key>-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.)*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|eyJ[\w-]{10,}\.[\w-]+\.[\w-]*|gh[pousr]_[A-Za-z0-9]{36}|xox[abprs]-[A-Za-z0-9-]{10,})"
    r"|(?P<url>[A-Za-z][\w+.-]{0,30}://[^\s/@'\"]{0,200}:[^\s@'\"]{1,500}@)"
    r"|(?P<word>\w+)"
    r"|(?P<other>(?s:.)[^\w-]*)"
)
_BLANK = r"(?:\s|\\+[nrt]|--(?:(?!\\+n)[^\n])*(?:\n|\\+n)|/\*(?s:.)*?\*/)*"
"""Blanks and comments, whose ends of lines may be escaped."""

_ASSIGNED = re.compile(rf"\\*[\"']?{_BLANK}(?:=>|:=|=|:(?!:)){_BLANK}")
"""The text between a name and its value; the name itself may be quoted: `"password": "x"`."""

_FOLLOWED = re.compile(rf"{_BLANK}(?=\\*'|\$\$)")
_OPENING = re.compile(r"(?P<escapes>\\*)(?P<quote>['\"])")
_BARE = re.compile(r"(?:(?:Bearer|Basic|Snowflake)\s+)?[^\s,;)\]}'\"\\]+", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text with the value after each name of a secret hidden, and keys that are known by their form."""
    return text if _TELLTALE.search(text) is None else "".join(_parts(text))


def redacted_value(name: str, value: str) -> str:
    """The value of a setting: hidden if its name is that of a secret, else as in any other text."""
    return HIDDEN if _SECRET.fullmatch(name) else redacted(value)


def redacted_tree(value: object, name: str = "") -> object:
    """A value with the secrets in its texts hidden, at any depth; `name` is the key that it has.

    What `secrets` names are objects of the account, and no secrets.
    """
    if isinstance(value, str):
        return redacted_value(name, value)
    if isinstance(value, Mapping):
        return {
            key: item if key == "secrets" else redacted_tree(item, str(key)) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(redacted_tree(item, name) for item in value)
    return value


def _parts(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        assert token is not None, "every character begins a token"
        value, at = token[0], token.end()
        if token.lastgroup == "key":
            yield HIDDEN
        elif token.lastgroup == "url":
            yield f"{value[: value.index('://')]}://{HIDDEN}@"
        else:
            # Literals are read like other text, because that of EXECUTE IMMEDIATE is a statement.
            yield value
            if token.lastgroup == "word" and _SECRET.fullmatch(value):
                between = _ASSIGNED.match(text, at) or _FOLLOWED.match(text, at)
                if between is not None:
                    at = _value_end(text, between.end())
                    yield between[0] + ("'****'" if at > between.end() else "")


def _value_end(text: str, start: int) -> int:
    """The end of the value that begins here: a literal, a text in parentheses, or a bare word."""
    if text.startswith("(", start):
        return _closing(text, start)
    if text.startswith("$$", start):
        end = text.find("$$", start + 2)
        return len(text) if end < 0 else end + 2
    if _OPENING.match(text, start) is not None:
        return _literal_end(text, start)
    bare = _BARE.match(text, start)
    if bare is None:
        return start
    # `Authorization: Snowflake Token="…"`
    is_assigned = bare[0].endswith("=") and _OPENING.match(text, bare.end()) is not None
    return _literal_end(text, bare.end()) if is_assigned else bare.end()


def _literal_end(text: str, start: int) -> int:
    """The end of the literal that begins here; the end of the text if the literal is not closed.

    In a literal within a literal each quote is doubled, and in a string's Python or JSON form it is escaped: the
    literal ends at the same quotes with which it began, and twice as many are a quote inside it.
    """
    opening = _OPENING.match(text, start)
    assert opening is not None
    mark, escapes, quote = opening[0], len(opening["escapes"]), opening["quote"]
    count = _repeats(text, start, mark)
    after = start + count * len(mark)
    level = count & -count
    if level > 1 and (after == len(text) or text[after] in " \t\r\n,;)"):
        return after  # no more than an empty literal
    at = start + level * len(mark)
    while at < len(text):
        repeats = _repeats(text, at, mark)
        if repeats:
            at += repeats * len(mark)
            if repeats % (2 * level) >= level:
                return at
        elif text[at] == "\\":
            slashes = _repeats(text, at, "\\")
            if escapes and slashes < escapes and text.startswith(quote, at + slashes):
                return at
            # Two backslashes may be one that is escaped, or in the text's Python form the one that escapes the quote.
            at += slashes + int(slashes > escapes if escapes else slashes % 4 > 0)
        elif text[at] == quote:  # the string around an escaped literal ends, and the literal with it
            return at
        else:
            at += 1
    return len(text)


def _repeats(text: str, at: int, mark: str) -> int:
    count = 0
    while text.startswith(mark, at + count * len(mark)):
        count += 1
    return count


def _closing(text: str, start: int) -> int:
    """The end of the text in the parentheses that open here; parentheses in literals do not count."""
    depth, at = 0, start
    while at < len(text):
        if _OPENING.match(text, at) is not None:
            at = _literal_end(text, at)
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
        if depth == 0:
            return at
    return len(text)
