"""The account as services see it: databases, metadata, stages and sessions of a folder, and how to run statements.

`local_account` builds an account from services.
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfml_local.core import private_files, set_aside
from sfml_local.core.arguments import Args
from sfml_local.core.child import Child
from sfml_local.core.dropped_places import forget_place
from sfml_local.core.engine import Engine
from sfml_local.core.ignored import IgnoredStatements
from sfml_local.core.names import ObjectName
from sfml_local.core.notices import Notices
from sfml_local.core.parts import Part, Parts
from sfml_local.core.place import Place
from sfml_local.core.result import Result
from sfml_local.core.session import Session
from sfml_local.core.sessions import Sessions
from sfml_local.core.settings import Settings
from sfml_local.core.store import Store
from sfml_local.grammar.tokens import Name

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlglot import Expr

ACCOUNT_NAME = "LOCAL"

query_id: ContextVar[str | None] = ContextVar("query_id", default=None)
"""The id of the statement that a thread is executing."""


class Account(ABC):
    """Everything a local Snowflake holds. `host` and `port` are set once the server listens."""

    store: Store
    engine: Engine
    sessions: Sessions
    system_functions: Mapping[str, SystemFunction]
    table_functions: Mapping[str, TableFunction]
    relations: Mapping[str, Relation]
    locators: Mapping[str, Locator]
    kinds: Mapping[str, Kind]

    def __init__(
        self,
        folder: Path,
        *,
        token: str | None,
        clock: Callable[[], datetime],
        schedules: bool,
        settings: Settings,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.clock = clock
        self.schedules = schedules
        """Whether schedules and triggers fire from the start on."""
        self.ignored = IgnoredStatements()
        self.attention = threading.Event()
        """Set when something changed that may begin a task earlier than was known."""
        self.token = token or secrets.token_urlsafe(32)
        self.name: str = ACCOUNT_NAME
        self.host = "127.0.0.1"
        self.port = 0
        private_files.make_folder(folder)
        for part in (set_aside.DATABASES, "stages", "models", "logs"):
            private_files.make_folder(folder / part)
        self.noticed = Notices(folder)
        self.stages_folder = folder / "stages"
        self.models_folder = folder / "models"
        self.logs_folder = folder / "logs"
        self.stopping = threading.Event()
        self.last_request = time.monotonic()
        self.children: set[Child] = set()
        self._parts: Parts[Account] = Parts(self)

    def part(self, kind: Callable[[Account], Part]) -> Part:
        """A service's data for this account, by its class."""
        return self._parts.of(kind)

    @property
    def notices(self) -> tuple[str, ...]:
        """Notices about damage for users: problems that this server found, and files that were moved aside."""
        return self.noticed.all()

    def leave(self, database: str, schema: str | None = None) -> None:
        """Unset a database or schema that is about to be dropped in every session that uses it."""
        for session in self.sessions:
            if session.database == database and schema in (None, session.schema):
                self.engine.use(session, database if schema else None, None)
            forget_place(session, database, schema)

    @abstractmethod
    def schema_dropped(self, database: str, schema: str) -> None:
        """Let every service drop its data of a schema."""

    @abstractmethod
    def object_dropped(self, kind: str, name: str) -> None:
        """Let every service drop what it keeps about an object; `name` is its full one, as SHOW GRANTS has it."""

    @abstractmethod
    def object_renamed(self, kind: str, name: str, new: str) -> None:
        """Let every service keep what it keeps about an object under its new full name."""

    # -- statements -----------------------------------------------------------------------------------

    @property
    def query_id(self) -> str:
        """The id of the statement that this thread is executing; names its log file."""
        return query_id.get() or self.new_query_id()

    @staticmethod
    def new_query_id() -> str:
        return str(uuid.uuid4())

    def log_path(self, query_id: str | None = None) -> Path:
        """Where the output of a statement's processes is kept."""
        return self.logs_folder / f"{query_id or self.query_id}.log"

    @abstractmethod
    def execute(
        self,
        session: Session,
        sql: str,
        params: Sequence[Any] | None = None,
        describe_only: bool = False,
        query_id: str | None = None,
    ) -> Result:
        """Run one statement; raises SqlError. Describing answers the columns and changes nothing."""

    @abstractmethod
    def run(
        self, session: Session, sql: str, params: Sequence[Any] = (), describe_only: bool = False
    ) -> Result:
        """The result of a statement that sqlglot and fakesnow understand; raises SqlError."""

    @abstractmethod
    def run_tree(
        self,
        session: Session,
        tree: Expr,
        params: Sequence[Any] = (),
        describe_only: bool = False,
        staged: Mapping[str, pa.Table] | None = None,
        written: str | None = None,
    ) -> Result:
        """The result of a parsed statement, which may read the tables of `staged` by name."""

    def evaluate(self, session: Session, expression: str) -> Any:
        """The value of a SQL expression in this session."""
        return self.execute(session, f"SELECT {expression}").scalar


Handler = Callable[[Account, Session, Any], Result]
"""Carries out one kind of statement of the grammar."""
Handlers = Mapping[type, Handler]
SystemFunction = Callable[[Account, Session, tuple[Any, ...]], Any]
TableFunction = Callable[[Account, Session, Args], Result]
Relation = Callable[[Account, Session, "str | None"], Result]
"""A relation that is read like a table; one of INFORMATION_SCHEMA belongs to the named database."""
Locator = Callable[[Account, Session, str], Place]
"""Finds the files of an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What services that know nothing of a kind of object may ask of it."""

    owner_of: Callable[[Account, Session, Name], tuple[datetime, str] | None] | None = None
    """When an object was created and the role that owns it; None where it is not there."""
    give: Callable[[Account, Session, Name, str], None] | None = None
    """Makes a role the owner of an object that is there."""
    give_all: Callable[[Account, Session, Sequence[Name], str], None] | None = None
    """The same of objects at once, where that is more than of each by itself."""
    tags_of: Callable[[Account, Session, Name], Mapping[ObjectName, str]] | None = None
    """The tags on an object, which has to be there, of a kind that keeps its own."""
    followed: Callable[[Account, Session, Name], ObjectName] | None = None
    """The table whose changes a stream on an object shows; refuses one that is not there or has none."""
    ddl: Callable[[Account, Session, str, bool], str] | None = None
    """The statement that makes an object as it is now, with its full name or not; the object is named in a text."""
    ddl_of_schema: Callable[[Account, Session, tuple[str, str], bool], Sequence[str]] | None = None
    """These statements of all objects of the kind in a schema, in the order of an account."""
