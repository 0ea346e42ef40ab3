"""Tasks: CREATE, ALTER, DROP, DESCRIBE, SHOW and EXECUTE TASK.

https://docs.snowflake.com/en/sql-reference/sql/create-task and the pages beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sqlglot.tokens import TokenType

from sfml_local.grammar.shows import Listing, listing
from sfml_local.grammar.task_settings import (
    Clauses,
    Value,
    body,
    condition,
    contacts,
    first_repeated,
    names,
    parse_clauses,
    spelling,
    tags,
)
from sfml_local.grammar.tokens import Name, Tokens

__all__ = [
    "AddAfter",
    "AlterTask",
    "Clauses",
    "CreateMode",
    "CreateTask",
    "DescribeTask",
    "DropTask",
    "ExecuteTask",
    "ModifyBody",
    "ModifyWhen",
    "RemoveAfter",
    "RemoveWhen",
    "Resume",
    "RetryGroup",
    "RetryLast",
    "SetContacts",
    "SetSettings",
    "SetTags",
    "ShowTaskParameters",
    "ShowTasks",
    "Suspend",
    "UnsetContacts",
    "UnsetSettings",
    "UnsetTags",
    "UsingConfig",
    "Value",
    "parse",
]


class CreateMode(Enum):
    CREATE = "CREATE"
    OR_REPLACE = "CREATE OR REPLACE"
    OR_ALTER = "CREATE OR ALTER"


@dataclass(frozen=True, slots=True)
class CreateTask:
    """CREATE TASK. `definition` is None only where `clone` names the task to copy."""

    name: Name
    clauses: Clauses
    definition: str | None
    mode: CreateMode = CreateMode.CREATE
    if_not_exists: bool = False
    clone: Name | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    pass


@dataclass(frozen=True, slots=True)
class Suspend:
    pass


@dataclass(frozen=True, slots=True)
class AddAfter:
    predecessors: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class RemoveAfter:
    predecessors: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class SetSettings:
    """SET of properties and session parameters, FINALIZE and EXECUTE AS USER among them."""

    clauses: Clauses


@dataclass(frozen=True, slots=True)
class UnsetSettings:
    """`repeated` is a name that is written twice in one spelling."""

    names: tuple[str, ...]
    repeated: str | None = None


@dataclass(frozen=True, slots=True)
class SetTags:
    tags: tuple[tuple[Name, str], ...]


@dataclass(frozen=True, slots=True)
class SetContacts:
    """SET CONTACT: purpose → contact."""

    contacts: tuple[tuple[str, Name], ...]


@dataclass(frozen=True, slots=True)
class UnsetContacts:
    """UNSET CONTACT: purposes."""

    purposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnsetTags:
    names: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class ModifyBody:
    definition: str


@dataclass(frozen=True, slots=True)
class ModifyWhen:
    condition: str


@dataclass(frozen=True, slots=True)
class RemoveWhen:
    pass


Action: TypeAlias = (
    Resume
    | Suspend
    | AddAfter
    | RemoveAfter
    | SetSettings
    | UnsetSettings
    | SetTags
    | SetContacts
    | UnsetContacts
    | UnsetTags
    | ModifyBody
    | ModifyWhen
    | RemoveWhen
)


@dataclass(frozen=True, slots=True)
class AlterTask:
    name: Name
    action: Action
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropTask:
    name: Name
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class DescribeTask:
    name: Name


@dataclass(frozen=True, slots=True)
class ShowTasks:
    listing: Listing


@dataclass(frozen=True, slots=True)
class ShowTaskParameters:
    """SHOW PARAMETERS … IN TASK."""

    name: Name
    like: str | None = None


@dataclass(frozen=True, slots=True)
class UsingConfig:
    config: str


@dataclass(frozen=True, slots=True)
class RetryLast:
    pass


@dataclass(frozen=True, slots=True)
class RetryGroup:
    group: str


@dataclass(frozen=True, slots=True)
class ExecuteTask:
    name: Name
    how: UsingConfig | RetryLast | RetryGroup | None = None


Statement: TypeAlias = (
    CreateTask | AlterTask | DropTask | DescribeTask | ShowTasks | ShowTaskParameters | ExecuteTask
)


def parse(tokens: Tokens) -> Statement | None:
    """The statement when it is about a task, else None; raises SqlSyntaxError."""
    if _is_about_a_graph(tokens):
        return None
    return (
        _create(tokens)
        or _alter(tokens)
        or _drop(tokens)
        or _describe(tokens)
        or _show(tokens)
        or _show_parameters(tokens)
        or _execute(tokens)
    )


def _is_about_a_graph(tokens: Tokens) -> bool:
    """Whether the words are TASK GRAPH, another kind of object; a task may be called GRAPH."""
    start = tokens.index
    tokens.index = start + (3 if tokens.is_words("CREATE", "OR") else 1)
    is_graph = tokens.match_words("TASK", "GRAPH")
    following, after = tokens.peek(), tokens.peek(1)
    tokens.index = start
    if not is_graph or following is None or (after is not None and after.token_type is TokenType.EQ):
        return False
    return following.text.upper() not in _AFTER_NAME


_AFTER_NAME = (
    *("AS", "AFTER", "WHEN", "EXECUTE", "WITH", "TAG", "CONTACT", "CLONE", "RESUME", "SUSPEND"),
    *("SET", "UNSET", "ADD", "REMOVE", "MODIFY", "USING", "RETRY", ";"),
)


def _create(tokens: Tokens) -> CreateTask | None:
    for mode in (CreateMode.OR_REPLACE, CreateMode.OR_ALTER, CreateMode.CREATE):
        if tokens.match_words(*mode.value.split(), "TASK"):
            break
    else:
        return None
    if_not_exists = tokens.if_not_exists()
    if if_not_exists and mode is not CreateMode.CREATE:
        raise tokens.error(f"{mode.value} cannot be combined with IF NOT EXISTS")
    name = tokens.name()
    if tokens.match_words("CLONE"):
        return CreateTask(name, Clauses(), None, mode, if_not_exists, clone=tokens.name())
    return CreateTask(name, parse_clauses(tokens), body(tokens), mode, if_not_exists)


def _alter(tokens: Tokens) -> AlterTask | None:
    if not tokens.match_words("ALTER", "TASK"):
        return None
    if_exists = tokens.if_exists()
    return AlterTask(tokens.name(), _action(tokens), if_exists)


def _action(tokens: Tokens) -> Action:
    if tokens.match_words("RESUME"):
        return Resume()
    if tokens.match_words("SUSPEND"):
        return Suspend()
    if tokens.match_words("ADD", "AFTER"):
        return AddAfter(names(tokens))
    if tokens.match_words("REMOVE", "AFTER"):
        return RemoveAfter(names(tokens))
    if tokens.match_words("REMOVE", "WHEN"):
        return RemoveWhen()
    if tokens.match_words("MODIFY", "WHEN"):
        return ModifyWhen(condition(tokens))
    if tokens.match_words("MODIFY"):
        return ModifyBody(body(tokens))
    if tokens.match_words("SET", "TAG"):
        return SetTags(tags(tokens))
    if tokens.match_words("SET", "CONTACT"):
        return SetContacts(contacts(tokens))
    if tokens.match_words("UNSET", "CONTACT"):
        return UnsetContacts(_unset_names(tokens).names)
    if tokens.match_words("UNSET", "TAG"):
        return UnsetTags(names(tokens))
    if tokens.match_words("SET"):
        clauses = parse_clauses(tokens)
        if clauses.after is not None or clauses.when is not None or clauses == Clauses():
            raise tokens.error("expected a property")
        return SetSettings(clauses)
    tokens.expect_words("UNSET")
    return _unset_names(tokens)


def _unset_names(tokens: Tokens) -> UnsetSettings:
    found, spellings = [], []
    while True:
        spellings.append(spelling(tokens))
        found.append(
            "EXECUTE_AS_USER" if tokens.match_words("EXECUTE", "AS", "USER") else tokens.identifier()
        )
        if not tokens.match_type(TokenType.COMMA):
            return UnsetSettings(tuple(found), first_repeated(spellings))


def _drop(tokens: Tokens) -> DropTask | None:
    if not tokens.match_words("DROP", "TASK"):
        return None
    if_exists = tokens.if_exists()
    return DropTask(tokens.name(), if_exists)


def _describe(tokens: Tokens) -> DescribeTask | None:
    if tokens.match_words("DESCRIBE", "TASK") or tokens.match_words("DESC", "TASK"):
        return DescribeTask(tokens.name())
    return None


def _show(tokens: Tokens) -> ShowTasks | None:
    terse = tokens.match_words("SHOW", "TERSE", "TASKS")
    if not terse and not tokens.match_words("SHOW", "TASKS"):
        return None
    return ShowTasks(listing(tokens, terse=terse, roots=True))


def _show_parameters(tokens: Tokens) -> ShowTaskParameters | None:
    if not tokens.match_words("SHOW", "PARAMETERS"):
        return None
    like = tokens.like()
    if not tokens.match_words("IN", "TASK") and not tokens.match_words("FOR", "TASK"):
        return None
    return ShowTaskParameters(tokens.name(), like)


def _execute(tokens: Tokens) -> ExecuteTask | None:
    if not tokens.match_words("EXECUTE", "TASK"):
        return None
    name = tokens.name()
    if tokens.match_words("USING", "CONFIG"):
        tokens.expect_type(TokenType.EQ)
        return ExecuteTask(name, UsingConfig(tokens.expect_string()))
    if tokens.match_words("RETRY", "LAST"):
        return ExecuteTask(name, RetryLast())
    if tokens.match_words("RETRY", "GRAPH", "RUN", "GROUP"):
        return ExecuteTask(name, RetryGroup(tokens.expect_string()))
    return ExecuteTask(name)
