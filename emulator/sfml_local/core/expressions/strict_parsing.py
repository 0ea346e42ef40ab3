"""Refuses what sqlglot's parser takes of other dialects, or leaves out without a word, and Snowflake does not take.

Where a list, a clause or a keyword is missing, sqlglot goes on without it, and the statement would do something else
than its author wrote. https://docs.snowflake.com/en/sql-reference/constructs
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlglot import Expr, exp
from sqlglot.errors import ParseError
from sqlglot.parsers.snowflake import SnowflakeParser
from sqlglot.tokens import Token, TokenType

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.syntax_errors import position

_AFTER_INSERT = frozenset({TokenType.INTO, TokenType.FIRST, TokenType.ALL, TokenType.WHEN})
_CLAUSES = frozenset(
    {
        *(TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY, TokenType.ORDER_BY, TokenType.HAVING),
        *(TokenType.QUALIFY, TokenType.ON, TokenType.JOIN, TokenType.UNION, TokenType.WHEN, TokenType.THEN),
    }
)
"""Words that are no names, not even after AS."""
_NO_ALIASES = frozenset(
    {
        *(TokenType.ALL, TokenType.ANY, TokenType.COLUMN, TokenType.DELETE, TokenType.EXISTS, TokenType.IS),
        *(TokenType.NULL, TokenType.ROW, TokenType.ROWS, TokenType.SET, TokenType.SOME, TokenType.TABLE),
        *(TokenType.TRIGGER, TokenType.UNIQUE, TokenType.UPDATE),
    }
)
"""Reserved words that sqlglot takes for names. https://docs.snowflake.com/en/sql-reference/reserved-keywords"""
_ACTIONS = frozenset({TokenType.INSERT, TokenType.UPDATE, TokenType.DELETE})
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_OTHER_JOINS = frozenset({TokenType.SEMI, TokenType.ANTI, TokenType.STRAIGHT_JOIN})
_PREDICATES = (
    *(TokenType.BETWEEN, TokenType.ILIKE, TokenType.IN, TokenType.IS, TokenType.LIKE, TokenType.RLIKE),
)
_STATEMENTS = frozenset(
    {
        *("SELECT", "WITH", "(", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE", "CREATE", "ALTER", "DROP"),
        *(
            "UNDROP",
            "TRUNCATE",
            "BEGIN",
            "START",
            "COMMIT",
            "ROLLBACK",
            "USE",
            "SHOW",
            "DESCRIBE",
            "DESC",
            "SET",
        ),
        *(
            "UNSET",
            "COMMENT",
            "CALL",
            "EXPLAIN",
            "GRANT",
            "REVOKE",
            "COPY",
            "PUT",
            "GET",
            "LIST",
            "LS",
            "REMOVE",
        ),
        *("RM", "EXECUTE", "DECLARE", "LET", "IF", "FOR", "WHILE", "LOOP", "REPEAT", "CASE", "RETURN", "END"),
    }
)
"""The words that statements begin with. https://docs.snowflake.com/en/sql-reference/sql-all"""


_OF_TABLES = (exp.TemporaryProperty, exp.TransientProperty)
_LIFETIMES = frozenset({"TEMP", "TEMPORARY", "VOLATILE", "TRANSIENT"})
_MODIFIERS = frozenset(
    {
        *(
            "OR",
            "REPLACE",
            "ALTER",
            "TEMP",
            "TEMPORARY",
            "TRANSIENT",
            "VOLATILE",
            "LOCAL",
            "GLOBAL",
            "SECURE",
        ),
        *("RECURSIVE", "IF", "NOT", "EXISTS", "READ", "ONLY", "SCOPED", "INTERACTIVE"),
    }
)
_KINDS = frozenset(
    {
        *(
            "ACCOUNT",
            "AGENT",
            "AGGREGATION",
            "ALERT",
            "API",
            "APPLICATION",
            "ARTIFACT",
            "AUTHENTICATION",
            "BACKUP",
        ),
        *(
            "CATALOG",
            "COMPUTE",
            "CONNECTION",
            "CONTACT",
            "CORTEX",
            "DATA",
            "DATABASE",
            "DATASET",
            "DBT",
            "DYNAMIC",
        ),
        *(
            "EVENT",
            "EXPERIMENT",
            "EXTERNAL",
            "FAILOVER",
            "FEATURE",
            "FILE",
            "FUNCTION",
            "GATEWAY",
            "GIT",
            "HYBRID",
        ),
        *("ICEBERG", "IMAGE", "INDEX", "INTEGRATION", "JOIN", "LISTING", "MAINTENANCE", "MANAGED", "MASKING"),
        *("MATERIALIZED", "MCP", "MODEL", "NETWORK", "NOTEBOOK", "NOTIFICATION", "ONLINE", "ORGANIZATION"),
        *("PACKAGES", "PASSWORD", "PIPE", "POSTGRES", "PRIVACY", "PROCEDURE", "PROJECTION", "PROVISIONED"),
        *("REPLICATION", "RESOURCE", "ROLE", "ROW", "SCHEMA", "SECRET", "SECURITY", "SEMANTIC", "SEQUENCE"),
        *("SERVICE", "SESSION", "SHARE", "SNAPSHOT", "SNOWFLAKE", "STAGE", "STORAGE", "STREAM", "STREAMLIT"),
        *("TABLE", "TAG", "TASK", "TYPE", "USER", "VIEW", "WAREHOUSE", "WORKSPACE"),
    }
)
"""The first words of kinds of objects. https://docs.snowflake.com/en/sql-reference/sql/create"""
_UNFINISHED = frozenset(
    {(), ("ADD",), ("ADD", "COLUMN"), ("ALTER",), ("MODIFY",), ("DROP",), ("SET",), ("RENAME",)}
)
"""What ALTER TABLE name can end with where the rest is missing."""


def _only(parsers: Mapping[TokenType, Any], *kinds: TokenType) -> dict[TokenType, Any]:
    return {kind: parsers[kind] for kind in kinds}


def _without(parsers: Mapping[TokenType, Any], *kinds: TokenType) -> dict[TokenType, Any]:
    return {kind: parser for kind, parser in parsers.items() if kind not in kinds}


class Misplaced(ParseError):
    """A token that cannot be where it is, None for the end of the statement."""

    def __init__(self, token: Token | None) -> None:
        super().__init__("unexpected token")
        self.token = token


class StrictParser(SnowflakeParser):
    """sqlglot's parser of Snowflake's SQL, without the syntax of other dialects."""

    OPTIONAL_ALIAS_TOKEN_CTE = False
    STATEMENT_PARSERS = {  # noqa: RUF012 - sqlglot's own table
        **_without(SnowflakeParser.STATEMENT_PARSERS, TokenType.PIVOT, TokenType.UNPIVOT, TokenType.ANALYZE),
        TokenType.CREATE: lambda self: self._defined(self._parse_create()),
        TokenType.ALTER: lambda self: self._defined(self._parse_alter()),
        TokenType.DROP: lambda self: self._defined(self._parse_drop()),
    }
    RANGE_PARSERS = _only(SnowflakeParser.RANGE_PARSERS, *_PREDICATES)
    COLUMN_OPERATORS = _only(
        SnowflakeParser.COLUMN_OPERATORS, TokenType.DOT, TokenType.DCOLON, TokenType.EXCLAMATION
    )
    EQUALITY = _without(SnowflakeParser.EQUALITY, TokenType.NULLSAFE_EQ)
    BITWISE = _only(SnowflakeParser.BITWISE)
    FACTOR = _only(SnowflakeParser.FACTOR, TokenType.STAR, TokenType.SLASH, TokenType.MOD)
    QUERY_MODIFIER_PARSERS = _without(
        SnowflakeParser.QUERY_MODIFIER_PARSERS,
        *(
            TokenType.PREWHERE,
            TokenType.LOCK,
            TokenType.CLUSTER_BY,
            TokenType.DISTRIBUTE_BY,
            TokenType.SORT_BY,
        ),
        TokenType.USING,
    )
    QUERY_MODIFIER_TOKENS = set(QUERY_MODIFIER_PARSERS)  # noqa: RUF012 - sqlglot's own table
    TABLE_TERMINATORS = SnowflakeParser.TABLE_TERMINATORS - _OTHER_JOINS
    JOIN_KINDS = SnowflakeParser.JOIN_KINDS - _OTHER_JOINS
    ALIAS_TOKENS = SnowflakeParser.ALIAS_TOKENS - _NO_ALIASES
    TABLE_ALIAS_TOKENS = (SnowflakeParser.TABLE_ALIAS_TOKENS - _NO_ALIASES) | _OTHER_JOINS

    def raise_error(self, message: str, token: Token | None = None) -> None:
        raise Misplaced(self._curr or None)

    def _refuse_after(self, *kinds: TokenType) -> None:
        """Refuse what follows a word of these kinds that has nothing of its own after it."""
        if self._prev.token_type in kinds:
            raise Misplaced(self._curr or None)

    def _demand(self, kind: TokenType) -> None:
        if not self._match(kind):
            raise Misplaced(self._curr or None)

    def _parse_statement(self) -> Expr | None:
        if self._curr and self._curr.text.upper() not in _STATEMENTS and self._curr.text != ";":
            raise Misplaced(self._curr)
        return super()._parse_statement()

    # -- lists ----------------------------------------------------------------------------------------

    def _parse_csv(self, parse_method: Callable[[], Any], sep: TokenType = TokenType.COMMA) -> list[Any]:
        """A list without missing items, which sqlglot leaves out."""
        items: list[Any] = []
        is_first = True
        while True:
            start = self._index
            item = parse_method()
            if item is not None:
                items.append(item)
            elif self._index == start and not (is_first and self._curr.token_type is not sep):
                raise Misplaced(self._curr or None)
            if not self._match(sep):
                return items
            is_first = False

    def _parse_value(self, values: bool = True) -> exp.Tuple | None:
        """A row of VALUES, which has parentheses."""
        if values and self._curr.token_type is not TokenType.L_PAREN:
            raise Misplaced(self._curr or None)
        return super()._parse_value(values)

    def _parse_in(self, this: Expr | None, alias: bool = False) -> exp.In:
        if self._curr.token_type is not TokenType.L_PAREN:
            raise Misplaced(self._curr or None)
        if self._next.token_type is TokenType.R_PAREN:
            raise Misplaced(self._next)
        return super()._parse_in(this, alias)

    # -- names ----------------------------------------------------------------------------------------

    def _parse_alias(self, this: Expr | None, explicit: bool = False) -> Expr | None:
        is_explicit = self._curr.token_type is TokenType.ALIAS
        if is_explicit and self._next.token_type in _CLAUSES:
            raise Misplaced(self._next)
        found = super()._parse_alias(this, explicit)
        if is_explicit:
            self._refuse_after(TokenType.ALIAS)
        return found

    def _parse_table_alias(self, alias_tokens: Collection[TokenType] | None = None) -> exp.TableAlias | None:
        is_explicit = self._curr.token_type is TokenType.ALIAS
        if is_explicit and self._next.token_type in _CLAUSES:
            raise Misplaced(self._next)
        found = super()._parse_table_alias(alias_tokens)
        if is_explicit:
            self._refuse_after(TokenType.ALIAS)
        return found

    # -- expressions ----------------------------------------------------------------------------------

    def _parse_case(self) -> Expr | None:
        if self._match(TokenType.DOT, advance=False):
            return super()._parse_case()
        subject = self._parse_disjunction()
        branches: list[exp.If] = []
        while self._match(TokenType.WHEN):
            condition = self._parse_disjunction()
            self._demand(TokenType.THEN)
            branches.append(self.expression(exp.If(this=condition, true=self._parse_disjunction())))
        default = self._parse_disjunction() if self._match(TokenType.ELSE) else None
        self._refuse_after(TokenType.ELSE)
        self._demand(TokenType.END)
        return self.expression(exp.Case(this=subject, ifs=branches, default=default))

    def _parse_substring(self) -> exp.Substring:
        """SUBSTR(text, start, length), with commas."""
        start = self._index
        found = super()._parse_substring()
        for before, token in self._level(start):
            is_word = token.token_type in (TokenType.FROM, TokenType.FOR)
            if is_word and before.token_type is not TokenType.DISTINCT:
                raise Misplaced(token)
        return found

    def _parse_extract(self) -> exp.Extract | exp.Anonymous:
        """EXTRACT(part FROM moment), where the part is no text."""
        if self._curr.token_type is TokenType.STRING and self._next.token_type is TokenType.FROM:
            raise Misplaced(self._next)
        return super()._parse_extract()

    def _closed(self, call: Expr | None) -> Expr | None:
        """A call that ends with its parenthesis, which sqlglot does not demand of all."""
        if self._curr.token_type is not TokenType.R_PAREN:
            raise Misplaced(self._curr or None)
        return call

    def _parse_string_agg(self) -> exp.GroupConcat:
        """LISTAGG(text, separator) WITHIN GROUP (…)."""
        start = self._index
        found = super()._parse_string_agg()
        for before, token in self._level(start):
            is_order = token.token_type is TokenType.ORDER_BY and before.token_type is not TokenType.L_PAREN
            if is_order or token.text.upper() == "OVERFLOW":
                raise Misplaced(token)
        return found

    def _level(self, start: int) -> Iterator[tuple[Token, Token]]:
        """The tokens that were read from `start` on, outside parentheses, each with the one before it."""
        depth = 0
        for before, token in itertools.pairwise(self._tokens[start : self._index]):
            depth += (before.token_type in _OPENING) - (token.token_type in _CLOSING)
            if depth <= 0:
                yield before, token

    def _parse_lambda(self, alias: bool = False) -> Expr | None:
        """An argument, in which no rows are ordered."""
        start = self._index
        found = super()._parse_lambda(alias)
        if type(found) is exp.Order:
            raise Misplaced(self._first(TokenType.ORDER_BY, start))
        return found

    def _parse_cast(self, strict: bool, safe: bool | None = None) -> Expr:
        """CAST(value AS type) without a format and a default."""
        start = self._index
        found = super()._parse_cast(strict, safe)
        if isinstance(found, exp.Cast) and any(
            found.args.get(one) for one in ("format", "default", "action")
        ):
            words = ("FORMAT", "DEFAULT")
            raise Misplaced(next(one for one in self._tokens[start:] if one.text.upper() in words))
        return found

    def _parse_window(self, this: Expr | None, alias: bool = False) -> Expr | None:
        if self._curr.token_type is TokenType.FILTER and self._next.token_type is TokenType.L_PAREN:
            raise Misplaced(self._next)
        found = super()._parse_window(this, alias)
        self._refuse_after(TokenType.OVER)
        return found

    def _parse_partition_by(self) -> list[Expr]:
        found = super()._parse_partition_by()
        self._refuse_after(TokenType.PARTITION_BY)
        return found

    def _parse_window_spec(self) -> dict[str, Any]:
        found = super()._parse_window_spec()
        if found["value"] is None:
            raise Misplaced(self._curr or None)
        return found

    # -- queries --------------------------------------------------------------------------------------

    def _parse_select_query(self, *arguments: Any, **options: Any) -> Expr | None:
        """A query, which begins with no FROM and has no DISTINCT ON."""
        if self._curr.token_type is TokenType.FROM:
            return None
        if self._curr.token_type is TokenType.SELECT and self._next.token_type is TokenType.DISTINCT:
            third = self._tokens[self._index + 2] if self._index + 2 < len(self._tokens) else None
            if third is not None and third.token_type is TokenType.ON:
                raise Misplaced(third)
        start = self._curr
        found = super()._parse_select_query(*arguments, **options)
        if isinstance(found, exp.Select) and found.args.get("into") is not None:
            words = "INTO clause is not allowed in this context"
            raise SqlError(
                f"SQL compilation error: error {position(start.start, self.sql)} {words}", 1003, "42000"
            )
        return found

    def _parse_table(self, *arguments: Any, **options: Any) -> Expr | None:
        found = super()._parse_table(*arguments, **options)
        if self._prev.token_type is TokenType.STAR:
            raise Misplaced(self._prev)
        return found

    def _parse_table_hints(self) -> None:
        return None

    def _parse_using_identifiers(self) -> list[Expr]:
        if self._curr.token_type is not TokenType.L_PAREN:
            raise Misplaced(self._curr or None)
        if self._next.token_type is TokenType.R_PAREN:
            raise Misplaced(self._next)
        found: list[Expr] = super()._parse_using_identifiers()
        return found

    def _parse_join(self, *arguments: Any, **options: Any) -> exp.Join | None:
        found = super()._parse_join(*arguments, **options)
        self._refuse_after(TokenType.ON, TokenType.USING)
        if self._curr.token_type is TokenType.COMMA and self._prev.token_type is TokenType.COMMA:
            raise Misplaced(self._curr)
        return found

    def _parse_group(self, skip_group_by_token: bool = False) -> exp.Group | None:
        found = super()._parse_group(skip_group_by_token)
        self._refuse_after(TokenType.GROUP_BY)
        return found

    def _parse_limit(
        self, this: Expr | None = None, top: bool = False, skip_limit_token: bool = False
    ) -> Expr | None:
        """LIMIT number, or TOP number, without parentheses and a second number."""
        if not skip_limit_token and self._curr.token_type is (TokenType.TOP if top else TokenType.LIMIT):
            if self._next.token_type is TokenType.L_PAREN:
                raise Misplaced(self._next)
            start = self._index
            found = super()._parse_limit(this, top, skip_limit_token)
            if isinstance(found, exp.Limit) and found.args.get("offset") is not None:
                raise Misplaced(self._first(TokenType.COMMA, start))
            return found
        return super()._parse_limit(this, top, skip_limit_token)

    def _first(self, kind: TokenType, start: int) -> Token | None:
        return next((token for token in self._tokens[start:] if token.token_type is kind), None)

    # -- definitions ----------------------------------------------------------------------------------

    def _defined(self, tree: Expr) -> Expr:
        """A CREATE, ALTER or DROP of a kind of object that there is, with all that it needs."""
        if isinstance(tree, exp.Create):
            self._refuse_two_kinds(tree)
            self._demand_content(tree)
        elif isinstance(tree, exp.Command):
            words = iter(self._tokens[1:])
            kind = next((token for token in words if token.text.upper() not in _MODIFIERS), None)
            if kind is None or kind.text.upper() not in _KINDS:
                raise Misplaced(kind)
            rest = tuple(token.text.upper() for token in words)[1:]
            if kind.text.upper() == "TABLE" and rest in _UNFINISHED:
                raise Misplaced(None)
        return tree

    def _refuse_two_kinds(self, create: exp.Create) -> None:
        """TEMPORARY and TRANSIENT, of which a table is one."""
        properties = create.args.get("properties")
        kinds = {type(one) for one in (properties.expressions if properties else ())}
        if kinds.issuperset(_OF_TABLES):
            words = [token for token in self._tokens if token.text.upper() in _LIFETIMES]
            raise Misplaced(words[1])

    def _demand_content(self, create: exp.Create) -> None:
        """Refuse a table without columns, or with one without a type, and a view without a query."""
        if (
            create.expression
            or create.args.get("clone")
            or str(create.args["kind"]).upper() not in ("TABLE", "VIEW")
        ):
            return
        schema, properties = create.this, create.args.get("properties")
        if any(not isinstance(one, _OF_TABLES) for one in (properties.expressions if properties else ())):
            return
        columns = schema.expressions if isinstance(schema, exp.Schema) else []
        if (
            create.args["kind"] == "VIEW"
            or not columns
            or any(isinstance(one, exp.Identifier) for one in columns)
        ):
            is_closed = isinstance(schema, exp.Schema) and self._prev.token_type is TokenType.R_PAREN
            raise Misplaced(
                self._prev if is_closed and create.args["kind"] == "TABLE" else self._curr or None
            )

    # -- changes --------------------------------------------------------------------------------------

    def _parse_insert(self) -> exp.Insert | exp.MultitableInserts:
        following = self._next if self._curr.token_type is TokenType.OVERWRITE else self._curr
        if following.token_type not in _AFTER_INSERT:
            raise Misplaced(following or None)
        start = self._index
        insert = super()._parse_insert()
        if isinstance(insert, exp.Insert):
            if insert.args.get("expression") is None:
                raise Misplaced(self._curr or None)
            if isinstance(insert.expression, exp.Values) and not self._first(TokenType.VALUES, start):
                raise Misplaced(self._first(TokenType.SET, start))
        return insert

    def _parse_delete(self) -> exp.Delete:
        if self._curr.token_type is not TokenType.FROM:
            raise Misplaced(self._curr or None)
        return super()._parse_delete()

    def _parse_update(self) -> exp.Update:
        if self._curr.token_type is TokenType.SET:
            raise Misplaced(self._curr)
        update = super()._parse_update()
        if not update.expressions or not all(isinstance(one, exp.EQ) for one in update.expressions):
            raise Misplaced(self._curr or None)
        return update

    def _parse_merge(self) -> exp.Merge:
        if self._curr.token_type is not TokenType.INTO:
            raise Misplaced(self._curr or None)
        return super()._parse_merge()

    def _parse_when_matched(self) -> exp.Whens:
        start = self._index
        found = super()._parse_when_matched()
        for before, token in self._level(start):
            if token.token_type in _ACTIONS and before.token_type is not TokenType.THEN:
                raise Misplaced(token)
        return found

    def _parse_table_sample(self, as_modifier: bool = False) -> exp.TableSample | None:
        start = self._index
        found = super()._parse_table_sample(as_modifier)
        if found is not None:
            self._demand_sample_size(self._tokens[start + 1 : start + 3])
        return found

    def _demand_sample_size(self, written: Sequence[Token]) -> None:
        """What follows SAMPLE is a size in parentheses, after its method if there is one."""
        at = next((one for one in written if one.token_type is TokenType.L_PAREN), None)
        if at is None or (at is not written[0] and written[0].token_type is TokenType.NUMBER):
            raise Misplaced(written[0] if written else None)
