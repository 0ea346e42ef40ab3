"""The anonymous procedure: `WITH … AS PROCEDURE … CALL …`.

https://docs.snowflake.com/en/sql-reference/sql/call-with
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.signatures import Argument, Clauses, Parameter, arguments, parameters
from sfml_local.grammar.tokens import Name, Tokens

__all__ = ["AnonymousProcedure", "Argument", "Parameter", "parse"]


@dataclass(frozen=True, slots=True)
class AnonymousProcedure:
    """A procedure that lives for one call. `body` is None when the handler is in a staged file."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    language: str
    runtime_version: str
    packages: tuple[str, ...]
    imports: tuple[str, ...]
    handler: str
    body: str | None
    call: Name
    arguments: tuple[Argument, ...]
    external_access: str | None = None
    secrets: str | None = None
    strict: bool = False


def parse(tokens: Tokens) -> AnonymousProcedure | None:
    if not tokens.match_words("WITH"):
        return None
    # A common table expression starts in the same way, but without PROCEDURE after AS.
    if tokens.peek() is None or not _is_word_at(tokens, 1, "AS") or not _is_word_at(tokens, 2, "PROCEDURE"):
        return None
    name = tokens.identifier()
    tokens.expect_words("AS", "PROCEDURE")
    declared = parameters(tokens)
    clauses = Clauses.read(tokens)
    body = None
    if tokens.match_words("AS"):
        body = tokens.expect_string()
    tokens.expect_words("CALL")
    call = tokens.name()
    passed = arguments(tokens)
    tokens.expect_end()
    return AnonymousProcedure(
        name=name,
        parameters=declared,
        returns=clauses.returns,
        language=clauses.language,
        runtime_version=clauses.runtime_version,
        packages=clauses.packages,
        imports=clauses.imports,
        handler=clauses.handler,
        body=body,
        call=call,
        arguments=passed,
        external_access=clauses.external_access,
        secrets=clauses.secrets,
        strict=clauses.strict,
    )


def _is_word_at(tokens: Tokens, ahead: int, word: str) -> bool:
    token = tokens.peek(ahead)
    return token is not None and token.token_type is not TokenType.IDENTIFIER and token.text.upper() == word
