"""The signature of a procedure or function: its parameters and clauses, and the arguments of a call.

https://docs.snowflake.com/en/sql-reference/sql/create-procedure · /create-function
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.tokens import Tokens

__all__ = ["Argument", "Clauses", "Parameter", "arguments", "parameters", "rights"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; `type` and `default` (an expression) as written."""

    name: str
    type: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: an expression as written, with a name when it was passed by `name =>`."""

    expression: str
    name: str | None = None


def arguments(tokens: Tokens) -> tuple[Argument, ...]:
    """The arguments in parentheses, each expression as written: `('a' || f(1), name => 2)`."""
    tokens.expect_type(TokenType.L_PAREN)
    found: list[Argument] = []
    while not tokens.match_type(TokenType.R_PAREN):
        name = None
        if (arrow := tokens.peek(1)) and arrow.token_type is TokenType.FARROW:
            name = tokens.identifier()
            tokens.expect_type(TokenType.FARROW)
        found.append(Argument(_expression(tokens), name))
        tokens.match_type(TokenType.COMMA)
    return tuple(found)


def _expression(tokens: Tokens) -> str:
    """The text up to a comma or a closing parenthesis on this level."""
    start, depth, end = tokens.offset, 0, tokens.offset
    while (token := tokens.peek()) is not None:
        if depth == 0 and token.token_type in (TokenType.COMMA, TokenType.R_PAREN):
            break
        depth += _DEPTH.get(token.token_type, 0)
        end = token.end + 1
        tokens.index += 1
    if tokens.at_end or start == end:
        raise tokens.error("expected an argument")
    return tokens.sql[start:end]


_DEPTH = {
    TokenType.L_PAREN: 1,
    TokenType.L_BRACKET: 1,
    TokenType.L_BRACE: 1,
    TokenType.R_PAREN: -1,
    TokenType.R_BRACKET: -1,
    TokenType.R_BRACE: -1,
}


def parameters(tokens: Tokens) -> tuple[Parameter, ...]:
    tokens.expect_type(TokenType.L_PAREN)
    found: list[Parameter] = []
    while not tokens.match_type(TokenType.R_PAREN):
        name = tokens.identifier()
        declared = _expression(tokens)
        type_, default = _split_default(declared)
        found.append(Parameter(name, type_, default))
        tokens.match_type(TokenType.COMMA)
    return tuple(found)


def _split_default(declared: str) -> tuple[str, str | None]:
    inner = Tokens(declared)
    type_ = inner.text_until(("DEFAULT",))
    return type_, inner.rest() if inner.match_words("DEFAULT") else None


_SAID_ONCE: Mapping[tuple[str, ...], str] = {
    ("LANGUAGE",): "language",
    ("VOLATILE",): "volatility",
    ("IMMUTABLE",): "volatility",
    ("STRICT",): "nulls",
    ("CALLED", "ON", "NULL"): "nulls",
    ("RETURNS", "NULL", "ON"): "nulls",
}
"""Clauses by their first words, with what they say: accounts refuse a second word about it."""


@dataclass(slots=True)
class Clauses:
    """The clauses between the parameters and AS or CALL, in any order."""

    returns: str = ""
    language: str = "SQL"
    runtime_version: str = ""
    packages: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    handler: str = ""
    external_access: str | None = None
    secrets: str | None = None
    strict: bool = False
    volatility: str = "VOLATILE"
    memoizable: bool = False
    execute_as: str = "OWNER"
    comment: str = ""
    artifact_repository: str = ""
    resource_constraint: str = ""
    unsupported: str = ""
    """A clause of accounts that has no place here, as written."""

    @classmethod
    def read(cls, tokens: Tokens) -> Clauses:
        clauses = cls()
        said: set[str] = set()
        while not (tokens.at_end or tokens.is_words("AS") or tokens.is_words("CALL")):
            subject = next((one for words, one in _SAID_ONCE.items() if tokens.is_words(*words)), None)
            if subject in said:
                raise tokens.error("expected another clause: accounts refuse a second one of its kind")
            said |= {subject} if subject else set()
            clauses._one(tokens)
        return clauses

    def _one(self, tokens: Tokens) -> None:
        if tokens.is_words("RETURNS") and not tokens.is_words("RETURNS", "NULL"):
            tokens.expect_words("RETURNS")
            self.returns = _returned(tokens)
        elif tokens.match_words("LANGUAGE"):
            self.language = tokens.identifier()
        elif tokens.match_words("RUNTIME_VERSION"):
            self.runtime_version = _scalar(tokens)
        elif tokens.match_words("PACKAGES"):
            self.packages = _strings(tokens)
        elif tokens.match_words("IMPORTS"):
            self.imports = _strings(tokens)
        elif tokens.match_words("HANDLER"):
            self.handler = _scalar(tokens)
        elif tokens.match_words("EXTERNAL_ACCESS_INTEGRATIONS"):
            self.external_access = _parenthesised(tokens)
        elif tokens.match_words("SECRETS"):
            self.secrets = _parenthesised(tokens)
        elif tokens.match_words("COMMENT"):
            self.comment = _scalar(tokens)
        elif tokens.match_words("EXECUTE", "AS"):
            self.execute_as = rights(tokens)
        elif tokens.match_words("ARTIFACT_REPOSITORY"):
            tokens.match_type(TokenType.EQ)
            self.artifact_repository = ".".join(tokens.name().parts)
        elif tokens.match_words("RESOURCE_CONSTRAINT"):
            self.resource_constraint = _parenthesised(tokens)
        elif tokens.is_words("VOLATILE") or tokens.is_words("IMMUTABLE"):
            self.volatility = tokens.identifier()
        elif tokens.match_words("MEMOIZABLE"):
            self.memoizable = True
        elif any(tokens.is_words(*words) for words in _ABSENT):
            self.unsupported = tokens.text_until(("AS",), ("CALL",))
        elif tokens.match_words("STRICT") or tokens.match_words("RETURNS", "NULL", "ON", "NULL", "INPUT"):
            self.strict = True
        elif not any(tokens.match_words(*words) for words in _WITHOUT_EFFECT):
            raise tokens.error("expected a clause of a procedure, AS or CALL")


def rights(tokens: Tokens) -> str:
    """Whose rights a procedure has: the words after EXECUTE AS."""
    found = next(
        (one for one in ("RESTRICTED CALLER", "CALLER", "OWNER") if tokens.match_words(*one.split())), None
    )
    if found is None:
        raise tokens.error("expected OWNER, CALLER or RESTRICTED CALLER")
    return found


def _returned(tokens: Tokens) -> str:
    """A declared type with [NOT] NULL, as written: words of one type, and what is in its parentheses."""
    start = tokens.offset
    tokens.identifier()
    while True:
        while any(tokens.match_words(word) for word in _TYPE_WORDS):
            pass
        if not tokens.match_type(TokenType.L_PAREN):
            break
        tokens.arguments()
    if not tokens.match_words("NOT", "NULL"):
        tokens.match_words("NULL")
    last = tokens.peek(-1)
    assert last is not None
    return tokens.sql[start : last.end + 1]


_TYPE_WORDS = ("PRECISION", "VARYING", "LARGE", "OBJECT", "WITH", "WITHOUT", "LOCAL", "TIME", "ZONE")
"""Words that follow the first one of a type."""

_ABSENT = tuple(
    (word,)
    for word in (
        *("LOG_LEVEL", "LOG_EVENT_LEVEL", "METRIC_LEVEL", "TRACE_LEVEL", "AUTO_EVENT_LOGGING"),
        *("ENABLE_CONSOLE_OUTPUT", "TARGET_PATH", "TAG", "WITH", "API_INTEGRATION", "HEADERS"),
    )
)

# Clauses without an effect here: the default, and what concerns privileges.
_WITHOUT_EFFECT = (
    ("CALLED", "ON", "NULL", "INPUT"),
    ("COPY", "GRANTS"),
)


def _scalar(tokens: Tokens) -> str:
    """The value after an optional `=`: a string, or a number such as the 3.11 that Snowpark writes bare."""
    tokens.match_type(TokenType.EQ)
    text = tokens.match_string()
    if text is not None:
        return text
    return tokens.expect_type(TokenType.NUMBER).text


def _strings(tokens: Tokens) -> tuple[str, ...]:
    tokens.match_type(TokenType.EQ)
    tokens.expect_type(TokenType.L_PAREN)
    found: list[str] = []
    while not tokens.match_type(TokenType.R_PAREN):
        found.append(tokens.expect_string())
        tokens.match_type(TokenType.COMMA)
    return tuple(found)


def _parenthesised(tokens: Tokens) -> str:
    """The entries of a list in parentheses, as written."""
    tokens.match_type(TokenType.EQ)
    tokens.expect_type(TokenType.L_PAREN)
    start, depth = tokens.offset, 1
    while depth and (token := tokens.peek()) is not None:
        depth += _DEPTH.get(token.token_type, 0)
        end = token.start
        tokens.index += 1
    if depth:
        raise tokens.error("expected )")
    return tokens.sql[start:end].strip()
