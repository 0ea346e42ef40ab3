"""Snowflake's SQL as sqlglot parses it, except that calls of functions emulated here stay as written.

sqlglot turns many functions into special nodes while it parses, and what it drops there (the case of a format, an
argument) is lost.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sqlglot import Dialect, Expr, exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import TokenError
from sqlglot.parsers.snowflake import SnowflakeParser
from sqlglot.tokens import TokenType

from sfml_local.core.errors import SqlError
from sfml_local.core.expressions.argument_counts import refused_count
from sfml_local.core.expressions.lowering import OWN
from sfml_local.core.expressions.own_names import TYPES, is_of_snowflake
from sfml_local.core.expressions.strict_parsing import Misplaced, StrictParser
from sfml_local.core.expressions.syntax_errors import unended, unexpected
from sfml_local.core.expressions.type_arguments import check_arguments

WRITTEN = "written"
"""The key under which a projection, or a clustering key, stores its text as written."""

FOREIGN = "foreign"
"""The key under which calls and types that Snowflake lacks are marked, and the statement that has one."""

OVERWRITES = "overwrites"
"""The key under which INSERT into several tables stores whether it empties them first."""

BY_NAME = "by_name"
"""The key under which the star of a MERGE stores that it was written as ALL BY NAME."""

OF_DUCKDB = frozenset(
    {
        *(
            "anti",
            "asof",
            "at",
            "authorization",
            "binary",
            "collation",
            "columns",
            "concurrently",
            "describe",
        ),
        *("end", "freeze", "generated", "glob", "isnull", "lambda", "map", "notnull", "outer", "overlaps"),
        *("pivot", "pivot_longer", "pivot_wider", "positional", "semi", "show", "similar", "struct"),
        *("summarize", "tuple", "unpack", "unpivot", "verbose"),
    }
)
"""Words that DuckDB reserves and Snowflake takes for names: they are written to DuckDB in quotes."""

DuckDB.Generator.RESERVED_KEYWORDS = {*DuckDB.Generator.RESERVED_KEYWORDS, *OF_DUCKDB}


def _as_written(name: str, usual: Callable[..., Expr] | None) -> Callable[..., Expr]:
    def build(args: list[Any]) -> Expr:
        # `OBJECT_CONSTRUCT(*)` is fakesnow's.
        is_starred = any(isinstance(one, Expr) and one.is_star for one in args)
        if usual is not None and is_starred and name != "HASH_AGG":
            return usual(args)
        return exp.Anonymous(this=name, expressions=args)

    return build


def _closed(parser: Callable[[Any], Expr | None]) -> Callable[[Any], Expr | None]:
    return lambda self: self._closed(parser(self))


class Parser(StrictParser):
    """sqlglot's parser of Snowflake's SQL with the functions of `OWN` left as calls."""

    has_foreign = False
    """Whether there is a function or a type that Snowflake lacks: one of the user's, or one that is not there."""

    def reset(self) -> None:
        super().reset()
        self.refused: list[tuple[Expr, SqlError]] = []
        """Calls with a wrong number of arguments, also of attempts that came to nothing."""

    FUNCTIONS = {  # noqa: RUF012 - sqlglot's own table
        **{name: built for name, built in SnowflakeParser.FUNCTIONS.items() if is_of_snowflake(name)},
        **{name: _as_written(name, SnowflakeParser.FUNCTIONS.get(name)) for name in OWN},
    }
    FUNCTION_PARSERS = {  # noqa: RUF012 - sqlglot's own table
        name: _closed(parser)
        for name, parser in SnowflakeParser.FUNCTION_PARSERS.items()
        if name not in OWN and is_of_snowflake(name)
    }
    NO_PAREN_FUNCTION_PARSERS = {  # noqa: RUF012 - sqlglot's own table
        name: parser for name, parser in SnowflakeParser.NO_PAREN_FUNCTION_PARSERS.items() if name != "IF"
    }
    PROPERTY_PARSERS = {  # noqa: RUF012 - sqlglot's own table
        **SnowflakeParser.PROPERTY_PARSERS,
        **dict.fromkeys(("LOCAL", "GLOBAL"), lambda self: self._parse_property()),
        "VOLATILE": lambda self: self.expression(exp.TemporaryProperty()),
        "CLUSTER BY": lambda self: self._clustering(),
    }
    STATEMENT_PARSERS = {  # noqa: RUF012 - sqlglot's own table
        **StrictParser.STATEMENT_PARSERS,
        TokenType.BEGIN: lambda self: self._transaction(),
    }
    KEY_CONSTRAINT_OPTIONS = {  # noqa: RUF012 - sqlglot's own table
        **SnowflakeParser.KEY_CONSTRAINT_OPTIONS,
        "NOT": ("ENFORCED", "DEFERRABLE"),
        **dict.fromkeys(("ENFORCED", "ENABLE", "DISABLE", "VALIDATE", "NOVALIDATE"), ()),
    }

    def _parse_star(self) -> Expr | None:
        """A star, or ALL BY NAME of MERGE."""
        if self._match_text_seq("ALL", "BY", "NAME"):
            star = exp.Star()
            star.meta[BY_NAME] = True
            return star
        return super()._parse_star()

    def _refused_call(self, refused: SqlError) -> Expr | None:
        """A call with a wrong number of arguments, which is refused once all is parsed."""
        name = self._curr.text
        self._advance(2)
        call = self.expression(exp.Anonymous(this=name, expressions=self._parse_function_args(False)))
        self._match_r_paren(call)
        self.refused.append((call, refused))
        return self._parse_window(call)

    def _refused_count(self) -> SqlError | None:
        if self._next.token_type is not TokenType.L_PAREN or self._prev.token_type is TokenType.DOT:
            return None
        return refused_count(self._tokens, self._index, self.sql)

    def _clustering(self) -> exp.ClusterProperty:
        """CLUSTER BY [LINEAR] (…) with any expressions; sqlglot reads columns and calls."""
        self._match_text_seq("LINEAR")
        keys = self._parse_wrapped_csv(self._clustering_key)
        return self.expression(exp.ClusterProperty(expressions=keys))

    def _clustering_key(self) -> Expr | None:
        start, key = self._curr, self._parse_disjunction()
        if key is not None and start is not None and self._prev is not None:
            key.meta[WRITTEN] = self._find_sql(start, self._prev)
        return key

    def _parse_function_call(
        self,
        functions: dict[str, Callable[..., Any]] | None = None,
        anonymous: bool = False,
        optional_parens: bool = True,
        any_token: bool = False,
    ) -> Expr | None:
        """A call; one of a function that Snowflake lacks is marked, and stays a call by its name."""
        if not anonymous and (refused := self._refused_count()) is not None:
            return self._refused_call(refused)
        token = self._curr
        found = super()._parse_function_call(functions, anonymous, optional_parens, any_token)
        if found is not None and token is not None and not is_of_snowflake(token.text.upper()):
            for call in found.find_all(exp.Anonymous):
                if call.name == token.text:
                    call.meta[FOREIGN] = self.has_foreign = True
        return found

    def _parse_types(
        self,
        check_func: bool = False,
        schema: bool = False,
        allow_identifiers: bool = True,
        with_collation: bool = False,
    ) -> Expr | None:
        """A type; one that Snowflake lacks is marked."""
        token = self._curr
        found = super()._parse_types(check_func, schema, allow_identifiers, with_collation)
        if isinstance(found, exp.DataType) and token is not None:
            word = token.text.upper().partition(" ")[0]
            if found.this is exp.DataType.Type.ARRAY and word != "ARRAY":
                word = f"{word}[]"
            if word not in TYPES:
                found.meta[FOREIGN] = word
                self.has_foreign = True
        return found

    def _parse_projections(self) -> tuple[list[Expr], list[Expr] | None]:
        """One or more projections; a comma after the last one is allowed."""
        projections: list[Expr] = []
        while (projection := self._projection()) is not None:
            projections.append(projection)
            if not self._match(TokenType.COMMA):
                return projections, None
        if not projections or self._curr.token_type is TokenType.COMMA:
            self.raise_error("a projection is missing")
        return projections, None

    def _projection(self) -> Expr | None:
        """A projection that keeps its text, which names its column if it has no alias."""
        start, projection = self._curr, self._parse_expression()
        if (
            start is not None
            and projection is not None
            and not isinstance(projection, exp.Alias | exp.Column)
        ):
            projection.meta[WRITTEN] = self._find_sql(start, self._prev)
        return projection

    def _transaction(self) -> exp.Transaction:
        """BEGIN [WORK | TRANSACTION] [NAME name]; a name has no effect here."""
        self._match_texts(("TRANSACTION", "WORK"))
        if self._match_text_seq("NAME"):
            self._parse_id_var()
        return self.expression(exp.Transaction())

    def _parse_unique_key(self) -> Expr | None:
        """The name in UNIQUE KEY name of other dialects; here an option such as RELY may follow at once."""
        token = self._curr
        if token is not None and token.text.upper() in self.KEY_CONSTRAINT_OPTIONS:
            return None
        return super()._parse_unique_key()


LONGEST_KEPT = 1000
"""Characters of a statement whose tree is kept."""


def parse_one(sql: str) -> Expr:
    """One statement as a tree; raises SqlError at a mistake.

    The tree depends on nothing but the text, and clients send the same statements again and again; a copy takes a
    tenth of the time.
    """
    return _kept(sql).copy() if len(sql) <= LONGEST_KEPT else _parsed(sql)


@functools.lru_cache(maxsize=128)
def _kept(sql: str) -> Expr:
    return _parsed(sql)


def _parsed(sql: str) -> Expr:
    dialect = Dialect.get_or_raise("snowflake")
    try:
        tokens = dialect.tokenize(sql)
        if [token.text.upper() for token in tokens[:2]] == ["START", "TRANSACTION"]:
            return _parsed(f"BEGIN{sql[tokens[0].end + 1 :]}")
        check_arguments(tokens, sql)
        parser = Parser(dialect=dialect)
        found = parser.parse(tokens, sql)
    except Misplaced as error:
        raise unexpected(error.token, sql) from None
    except TokenError:
        raise unended(sql) from None
    if not found or found[0] is None:
        raise SqlError("SQL compilation error:\nEmpty SQL statement.", 900, "42601")
    for call, refused in parser.refused:
        if call.root() in found:
            raise refused
    tree = exp.Block(expressions=found) if len(found) > 1 else found[0]
    if parser.has_foreign:
        tree.meta[FOREIGN] = True
    if isinstance(tree, exp.MultitableInserts):
        # sqlglot reads the word and drops it.
        tree.meta[OVERWRITES] = tokens[1].text.upper() == "OVERWRITE"
    return tree


def spaced(sql: str) -> str:
    """`?::INT` as `? ::INT`, because sqlglot reads `?::` as an operator of another dialect."""
    if "?::" not in sql:
        return sql
    tokens = Dialect.get_or_raise("snowflake").tokenize(sql)
    for token in reversed([token for token in tokens if token.token_type == TokenType.QDCOLON]):
        sql = f"{sql[: token.start + 1]} {sql[token.start + 1 :]}"
    return sql
