"""A parsed request of the REST API, and the answers of services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfml_local.core.errors import SqlError
from sfml_local.core.likeness import MAX_ROWS, selected
from sfml_local.core.names import ObjectName
from sfml_local.grammar.shows import Listing
from sfml_local.grammar.tokens import SqlSyntaxError, parse_name

if TYPE_CHECKING:
    from sfml_local.core.account import Account
    from sfml_local.core.session import Session

Json = dict[str, Any]

Handler = Callable[["Call"], Any]

Operations = Mapping[str, Handler]


def bad_request(sentence: str) -> SqlError:
    return SqlError(sentence, 391920, "42000")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer 202 of a handler: the work continues, and this is its future result."""

    answer: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A parsed request with its session and options. `path` holds the names in the path, folded."""

    account: Account
    session: Session
    path: Mapping[str, str]
    options: Mapping[str, str]
    body: Any

    @property
    def database(self) -> str:
        return self.path["database"]

    @property
    def schema(self) -> str:
        return self.path["schema"]

    @property
    def name(self) -> str:
        return self.path["name"]

    @property
    def object(self) -> ObjectName:
        """The schema object that the path names."""
        return ObjectName(self.database, self.schema, self.name)

    def truth(self, option: str, default: bool = False) -> bool:
        """A boolean option; clients send `True` and `False`, and accounts read any other word as false."""
        value = self.options.get(option)
        if value is None:
            return default
        return value.lower() == "true"

    @property
    def changed_name(self) -> str | None:
        """The name of the object that a request creates, changes or drops, as far as its path or body tells."""
        if "name" in self.path:
            return self.name
        given = self.body.get("name") if isinstance(self.body, dict) else None
        return identifier(given) if isinstance(given, str) else None

    def limit(self, option: str, default: int) -> int:
        value = self.options.get(option)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit()) or not 1 <= int(value) <= MAX_ROWS:
            raise bad_request(f"Invalid value [{value}] for parameter {option}: 1 to {MAX_ROWS}.")
        return int(value)

    @property
    def mode(self) -> str:
        """createMode: errorIfExists, orReplace or ifNotExists."""
        mode = self.options.get("createMode", "errorIfExists")
        if mode not in ("errorIfExists", "orReplace", "ifNotExists"):
            allowed = "errorIfExists,orReplace,ifNotExists"
            raise bad_request(f"Not a valid createMode: {mode}. Allowed values are: {allowed}")
        return mode

    def mapping(self) -> Json:
        if not isinstance(self.body, dict):
            raise bad_request("The body of the request is not a JSON object.")
        return self.body

    def listing(self) -> list[Json]:
        if not isinstance(self.body, list) or not all(isinstance(one, dict) for one in self.body):
            raise bad_request("The body of the request is not a JSON array of objects.")
        return self.body

    def named(self, body: Json) -> str:
        """The name in a body; when the path names an object too, both are the same."""
        name = name_in(body)
        if self.path.get("name", name) != name:
            raise bad_request(f"The name in the body, {body['name']}, is not the one in the path.")
        return name

    def shown(self, names: list[str]) -> list[str]:
        """The names of an ordered list that pass like, startsWith, fromName and showLimit."""
        return selected(
            names,
            str,
            Listing(
                like=self.options.get("like"),
                starts_with=self.options.get("startsWith"),
                from_name=self.options.get("fromName"),
                limit=self.limit("showLimit", MAX_ROWS),
            ),
        )


def identifier(text: Any) -> str:
    """A name from a path or a body, folded: `my_task`, `"my task"`."""
    try:
        name = parse_name(str(text))
    except SqlSyntaxError as cause:
        raise bad_request(f"Invalid SQL Identifier found in the request: {text}") from cause
    if len(name.parts) != 1:
        raise bad_request(f"Invalid SQL Identifier found in the request: {text}")
    return name.last


def name_in(body: Json) -> str:
    if not isinstance(body.get("name"), str):
        raise SqlError("Missing required field: name.", 390400, "42000")
    return identifier(body["name"])


def done(message: str = "Request successfully completed") -> Json:
    return {"status": message}
