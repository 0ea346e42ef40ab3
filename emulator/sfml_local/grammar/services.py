"""Services, as far as ML Jobs need them.

https://docs.snowflake.com/en/sql-reference/commands-snowpark-container-services
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot.tokens import TokenType

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.signatures import Argument, arguments
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "CallServiceMethod",
    "DescribeService",
    "DropService",
    "ShowServiceEndpoints",
    "ShowServiceInstances",
    "ShowServices",
    "parse",
]


@dataclass(frozen=True, slots=True)
class DescribeService:
    service: Name


@dataclass(frozen=True, slots=True)
class DropService:
    service: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class ShowServiceInstances:
    service: Name


@dataclass(frozen=True, slots=True)
class ShowServiceEndpoints:
    service: Name


@dataclass(frozen=True, slots=True)
class ShowServices:
    """SHOW JOB SERVICES."""

    listing: Listing


@dataclass(frozen=True, slots=True)
class CallServiceMethod:
    """`CALL service!method(…)`; the method in upper case."""

    service: Name
    method: str
    arguments: tuple[Argument, ...]


ServiceStatement = (
    DescribeService
    | DropService
    | ShowServiceEndpoints
    | ShowServiceInstances
    | ShowServices
    | CallServiceMethod
)


def parse(tokens: Tokens) -> ServiceStatement | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("DESCRIBE", "SERVICE") or tokens.match_words("DESC", "SERVICE"):
        return DescribeService(tokens.name())
    if tokens.match_words("DROP", "SERVICE"):
        if_exists = tokens.if_exists()
        service = tokens.name()
        tokens.match_words("FORCE")
        return DropService(service, if_exists)
    if tokens.match_words("SHOW", "SERVICE", "INSTANCES", "IN", "SERVICE"):
        return ShowServiceInstances(tokens.name())
    if tokens.match_words("SHOW", "ENDPOINTS", "IN", "SERVICE"):
        return ShowServiceEndpoints(tokens.name())
    if tokens.match_words("SHOW", "JOB", "SERVICES"):
        return ShowServices(listing(tokens))
    if tokens.is_words("CALL"):
        return _method_call(tokens)
    return None


def _method_call(tokens: Tokens) -> CallServiceMethod | None:
    """None for other CALLs, which have no `!` after the name."""
    tokens.match_words("CALL")
    ahead = 0
    while (token := tokens.peek(ahead)) and token.token_type is not TokenType.L_PAREN:
        if token.token_type is TokenType.EXCLAMATION:
            service = tokens.name()
            tokens.expect_type(TokenType.EXCLAMATION)
            method = tokens.identifier()
            return CallServiceMethod(service, method, arguments(tokens))
        ahead += 1
    return None
