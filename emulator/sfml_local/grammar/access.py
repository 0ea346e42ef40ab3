"""Roles and grants, and objects that graphs name but do not create: integrations, secrets, image repositories, rules.

https://docs.snowflake.com/en/sql-reference/sql/grant-privilege · /grant-role · /show-grants · /create-integration ·
/create-secret · /create-image-repository
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlglot.tokens import TokenType

from sfml_local.grammar.absent import Absent, plural
from sfml_local.grammar.options import options
from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "Alter",
    "Create",
    "Describe",
    "Drop",
    "Grant",
    "GrantRole",
    "Show",
    "ShowFutureGrants",
    "ShowGrants",
    "ShowGrantsOn",
    "parse",
]

Kind = Literal["INTEGRATION", "SECRET", "IMAGE REPOSITORY", "NETWORK RULE", "ROLE"]
CATEGORIES: Final = ("NOTIFICATION", "EXTERNAL ACCESS", "SECURITY", "STORAGE", "API", "CATALOG")


@dataclass(frozen=True, slots=True)
class Create:
    """`category` is that of an integration; `options` contains no secrets."""

    kind: Kind
    name: Name
    category: str = ""
    or_replace: bool = False
    if_not_exists: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drop:
    kind: Kind
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Alter:
    """SET or UNSET of properties; `category` as in Create."""

    kind: Kind
    name: Name
    category: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Describe:
    kind: Kind
    name: Name
    category: str = ""


@dataclass(frozen=True, slots=True)
class Show:
    kind: Kind
    category: str
    listing: Listing


@dataclass(frozen=True, slots=True)
class Grant:
    """GRANT or, with `revoke`, REVOKE of privileges; `name` is None for the account."""

    privileges: tuple[str, ...]
    on: str
    name: Name | None
    role: str
    with_grant_option: bool = False
    """Of REVOKE: GRANT OPTION FOR, which leaves the privilege itself."""
    revoke: bool = False
    outstanding: Literal["", "COPY", "REVOKE"] = ""
    """What becomes of the grants on an object that gets another owner: COPY or REVOKE CURRENT GRANTS."""
    many: Literal["", "ALL", "FUTURE"] = ""
    """ALL and FUTURE: of all objects of the kind `on` that the place `name` holds, or will hold."""
    within: Literal["", "SCHEMA", "DATABASE"] = ""


@dataclass(frozen=True, slots=True)
class ShowFutureGrants:
    """What will be granted on objects that come: of a place, or to a role."""

    within: Literal["SCHEMA", "DATABASE", "ROLE"]
    name: Name


@dataclass(frozen=True, slots=True)
class GrantRole:
    role: str
    to: Literal["ROLE", "USER"]
    name: str
    revoke: bool = False


@dataclass(frozen=True, slots=True)
class ShowGrants:
    """The grants to a role or a user, or with `OF` the grantees of a role; "" is the session's user."""

    to: Literal["ROLE", "USER", "OF", ""]
    name: str = ""


@dataclass(frozen=True, slots=True)
class ShowGrantsOn:
    """The grants on an object; `name` is None for the account."""

    on: str
    name: Name | None


Statement = (
    Create | Drop | Alter | Describe | Show | Grant | GrantRole | ShowGrants | ShowGrantsOn | ShowFutureGrants
)

_PLURALS: Final[Mapping[Kind, str]] = {
    "INTEGRATION": "INTEGRATIONS",
    "SECRET": "SECRETS",
    "IMAGE REPOSITORY": "IMAGE REPOSITORIES",
    "NETWORK RULE": "NETWORK RULES",
    "ROLE": "ROLES",
}
_GRANTED_ON: Final = (
    *("DATABASE", "SCHEMA", "TABLE", "VIEW", "STAGE", "WAREHOUSE", "COMPUTE POOL", "INTEGRATION", "TASK"),
    *("PROCEDURE", "FUNCTION", "SECRET", "IMAGE REPOSITORY", "STREAM", "MODEL", "USER", "TAG", "CONTACT"),
    *("ROLE", "FILE FORMAT", "SEQUENCE", "DYNAMIC TABLE", "DATASET", "ALERT"),
)


def parse(tokens: Tokens) -> Statement | Absent | None:
    """The statement, or None when it is of another family."""
    if tokens.match_words("CREATE"):
        return _create(tokens)
    if tokens.match_words("DROP"):
        found = _kind(tokens)
        return None if found is None else Drop(found[0], if_exists=_if_exists(tokens), name=tokens.name())
    if tokens.match_words("SHOW"):
        return _show(tokens)
    if tokens.match_words("ALTER"):
        return _alter(tokens)
    if tokens.match_words("DESCRIBE") or tokens.match_words("DESC"):
        found = _kind(tokens)
        if found is None or found[0] == "ROLE":
            return None
        return Describe(found[0], tokens.name(), found[1])
    if tokens.match_words("GRANT"):
        return _grant(tokens, revoke=False)
    if tokens.match_words("REVOKE"):
        return _grant(tokens, revoke=True)
    return None


def _alter(tokens: Tokens) -> Alter | None:
    """SET and UNSET of properties; None for other changes."""
    found = _kind(tokens)
    if found is None:
        return None
    if_exists = tokens.if_exists()
    name = tokens.name()
    if tokens.is_words("SET", "TAG") or tokens.is_words("UNSET", "TAG"):
        return None
    if tokens.match_words("UNSET"):
        names = tokens.listed(tokens.identifier)
        return Alter(found[0], name, found[1], {}, names, if_exists)
    if not tokens.match_words("SET"):
        return None
    return Alter(found[0], name, found[1], options(tokens), (), if_exists)


def _if_exists(tokens: Tokens) -> bool:
    return tokens.if_exists()


def _kind(tokens: Tokens, plural: bool = False) -> tuple[Kind, str] | None:
    """The kind, and an integration's category."""
    start = tokens.index
    category = next((one for one in CATEGORIES if tokens.match_words(*one.split())), "")
    for kind, many in _PLURALS.items():
        words = many if plural else kind
        if (not category or kind == "INTEGRATION") and tokens.match_words(*words.split()):
            return kind, category
    tokens.index = start
    return None


def _create(tokens: Tokens) -> Create | None:
    replace = tokens.match_words("OR", "REPLACE")
    found = _kind(tokens)
    if found is None:
        return None
    missing = tokens.if_not_exists()
    return Create(found[0], tokens.name(), found[1], replace, missing, options(tokens))


def _show(tokens: Tokens) -> Show | ShowGrants | ShowGrantsOn | ShowFutureGrants | None:
    terse = tokens.match_words("TERSE")
    if tokens.match_words("FUTURE", "GRANTS"):
        return _future_grants(tokens)
    if tokens.match_words("GRANTS", "ON"):
        if tokens.match_words("ACCOUNT"):
            return ShowGrantsOn("ACCOUNT", None)
        on = next((one for one in _GRANTED_ON if tokens.match_words(*one.split())), None)
        if on is None:
            return None
        name = tokens.name()
        if tokens.match_type(TokenType.L_PAREN):
            tokens.arguments()
        return ShowGrantsOn(on, name)
    if tokens.match_words("GRANTS", "OF", "ROLE"):
        return ShowGrants("OF", tokens.name().last)
    if tokens.is_words("GRANTS") and tokens.peek(1) is None:
        tokens.match_words("GRANTS")
        return ShowGrants("")
    if tokens.match_words("GRANTS", "TO"):
        to: Literal["ROLE", "USER"] = "USER" if tokens.match_words("USER") else "ROLE"
        tokens.match_words("ROLE")
        return ShowGrants(to, tokens.name().last)
    found = _kind(tokens, plural=True)
    if found is None:
        return None
    return Show(*found, listing(tokens, terse=terse))


def _future_grants(tokens: Tokens) -> ShowFutureGrants:
    if tokens.match_words("TO", "ROLE"):
        return ShowFutureGrants("ROLE", tokens.name())
    tokens.expect_words("IN")
    if tokens.match_words("DATABASE"):
        return ShowFutureGrants("DATABASE", tokens.name())
    tokens.expect_words("SCHEMA")
    return ShowFutureGrants("SCHEMA", tokens.name())


_FIRST_WORDS = frozenset(
    {
        *("ADD", "ALL", "APPLY", "APPLYBUDGET", "ATTACH", "AUDIT", "BIND", "CALL", "CANCEL", "CREATE"),
        *(
            "DELETE",
            "EVOLVE",
            "EXECUTE",
            "FAILOVER",
            "IMPORT",
            "IMPORTED",
            "INGEST",
            "INSERT",
            "INVOKE",
            "MANAGE",
        ),
        *(
            "MODIFY",
            "MONITOR",
            "OPERATE",
            "OVERRIDE",
            "OWNERSHIP",
            "PURCHASE",
            "READ",
            "REBUILD",
            "REFERENCES",
        ),
        *(
            "REFERENCE_USAGE",
            "REFRESH",
            "REPLICATE",
            "RESOLVE",
            "SELECT",
            "TRUNCATE",
            "UPDATE",
            "USAGE",
            "USE",
        ),
        *("USE_ANY_ROLE", "VIEW", "WRITE"),
    }
)
"""How privileges begin. https://docs.snowflake.com/en/user-guide/security-access-control-privileges"""


def _grant(tokens: Tokens, *, revoke: bool) -> Grant | GrantRole | Absent | None:
    verb = "REVOKE" if revoke else "GRANT"
    for kind in ("DATABASE ROLE", "APPLICATION ROLE"):
        if tokens.match_words(*kind.split()):
            tokens.rest()
            return Absent(verb, kind)
    option_for = revoke and tokens.match_words("GRANT", "OPTION", "FOR")
    if tokens.match_words("ROLE"):
        role = tokens.name().last
        tokens.expect_words("FROM" if revoke else "TO")
        to: Literal["ROLE", "USER"] = "USER" if tokens.match_words("USER") else "ROLE"
        tokens.match_words("ROLE")
        return GrantRole(role, to, tokens.name().last, revoke)
    privileges = _privileges(tokens)
    tokens.expect_words("ON")
    many = _many(tokens)
    within: Literal["", "SCHEMA", "DATABASE"] = ""
    if many:
        on = next((one for one in _GRANTED_ON if tokens.match_words(*plural(one).split())), "")
        if not on:
            return None
        tokens.expect_words("IN")
        within = "SCHEMA" if tokens.match_words("SCHEMA") else "DATABASE"
        if within == "DATABASE":
            tokens.expect_words("DATABASE")
        name: Name | None = tokens.name()
    elif tokens.match_words("ACCOUNT"):
        on, name = "ACCOUNT", None
    else:
        found = next((one for one in _GRANTED_ON if tokens.match_words(*one.split())), None)
        if found is None:
            return None
        on, name = found, tokens.name()
        if tokens.match_type(TokenType.L_PAREN):  # a procedure's types
            tokens.arguments()
    tokens.expect_words("FROM" if revoke else "TO")
    for grantee in ("DATABASE ROLE", "APPLICATION ROLE", "SHARE", "USER"):
        if tokens.is_words(*grantee.split()) and tokens.peek(len(grantee.split())) is not None:
            tokens.rest()
            return Absent(verb, f"privileges of a {grantee}")
    tokens.match_words("ROLE")
    role = tokens.name().last
    option = option_for or tokens.match_words("WITH", "GRANT", "OPTION")
    outstanding = _outstanding(tokens)
    if revoke and not tokens.match_words("CASCADE"):
        tokens.match_words("RESTRICT")
    return Grant(privileges, on, name, role, option, revoke, outstanding, many, within)


def _outstanding(tokens: Tokens) -> Literal["", "COPY", "REVOKE"]:
    if tokens.match_words("COPY", "CURRENT", "GRANTS"):
        return "COPY"
    return "REVOKE" if tokens.match_words("REVOKE", "CURRENT", "GRANTS") else ""


def _many(tokens: Tokens) -> Literal["", "ALL", "FUTURE"]:
    if tokens.match_words("ALL"):
        return "ALL"
    return "FUTURE" if tokens.match_words("FUTURE") else ""


def _privileges(tokens: Tokens) -> tuple[str, ...]:
    """`USAGE, CREATE TASK`: words up to ON, in upper case."""
    found: list[str] = []
    while True:
        words: list[str] = []
        first = tokens.peek()
        if first is not None and first.text.upper() not in _FIRST_WORDS:
            raise tokens.error("expected a privilege")
        while not tokens.at_end and not tokens.is_words("ON") and not _at_comma(tokens):
            token = tokens.peek()
            assert token is not None
            words.append(token.text.upper())
            tokens.index += 1
        found.append(" ".join(words).removesuffix(" PRIVILEGES"))
        if not tokens.match_type(TokenType.COMMA):
            return tuple(found)


def _at_comma(tokens: Tokens) -> bool:
    token = tokens.peek()
    return token is not None and token.token_type is TokenType.COMMA
