"""The comments of a CREATE or ADD COLUMN, taken out of the statement: DuckDB has no clause for them."""

from __future__ import annotations

from sqlglot import Expr, exp
from sqlglot.tokens import TokenType

from sfml_local.core.errors import SqlError, not_emulated
from sfml_local.core.needed_passes import looks_for
from sfml_local.core.rewriting import Rewriting, dotted
from sfml_local.grammar.tokens import Tokens


@looks_for(exp.Create, exp.Alter)
def comments(tree: Expr, rewriting: Rewriting) -> Expr:
    """Notes the comments of a table or view, and of its columns, and takes them out of the tree."""
    if not isinstance(tree, exp.Create | exp.Alter) or str(tree.args.get("kind")).upper() not in (
        "TABLE",
        "VIEW",
    ):
        return tree
    for constraint in list(tree.find_all(exp.CommentColumnConstraint)):
        column = constraint.find_ancestor(exp.ColumnDef)
        if column is not None:
            rewriting.comments[dotted(column.this)] = _text(constraint.this)
            _drop(constraint.parent if isinstance(constraint.parent, exp.ColumnConstraint) else constraint)
    notes = list(tree.find_all(exp.SchemaCommentProperty))
    if len(notes) > 1:
        raise SqlError("SQL compilation error:\nduplicate property 'COMMENT';", 1410, "42601")
    if notes:
        _demand_equals(Tokens(rewriting.written or ""))
    for note in notes:
        if note.find_ancestor(exp.AlterSet) is not None:
            raise not_emulated("ALTER … SET COMMENT together with other properties")
        rewriting.comments[None] = _text(note.this)
        note.pop()
    properties = tree.args.get("properties")
    if properties is not None and not properties.expressions:
        tree.set("properties", None)
    return tree


def _demand_equals(tokens: Tokens) -> None:
    """Refuse COMMENT of a table or view without a sign, which only columns' have."""
    depth = 0
    for index, token in enumerate(tokens.following()):
        if token.token_type in (TokenType.L_PAREN, TokenType.R_PAREN):
            depth += 1 if token.token_type is TokenType.L_PAREN else -1
        elif depth == 0 and token.text.upper() == "AS":
            return
        elif depth == 0 and token.text.upper() == "COMMENT":
            tokens.index = index + 1
            following = tokens.peek()
            if following is not None and following.token_type is TokenType.STRING:
                raise tokens.error("expected =")


def _drop(constraint: Expr) -> None:
    """Remove the comment; an empty list of constraints would still be treated as one."""
    column = constraint.parent
    constraint.pop()
    if isinstance(column, exp.ColumnDef) and not column.args.get("constraints"):
        column.set("constraints", None)


def _text(node: Expr) -> str:
    return str(node.this if isinstance(node, exp.Literal | exp.RawString | exp.National) else node.name)
