"""Faults that tests put into a server's answers, and the log of the calls that it got.

Only a server that was started with `Faults()` has this layer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

Kind = Literal["sql", "rest", "session"]
When = Literal["before", "after"]

HEAD = 500
"""The most characters of a statement in the log."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request of a client.

    `kind` is `sql` for a statement, `rest` for a call below /api/v2, `session` for logins, heartbeats and the
    like. `status` is the HTTP status of the answer and None as long as there is none, or when the connection
    was dropped; `code` is Snowflake's code of an error. A connector that lost its connection sends the
    statement again under the same `request_id`: such a call is `repeated`. `inside` marks the calls of
    processes that the server itself started: steps and jobs.
    """

    number: int
    kind: Kind
    method: str
    path: str
    statement: str | None = None
    request_id: str | None = None
    repeated: bool = False
    inside: bool = False
    status: int | None = None
    code: str | None = None
    dropped: bool = False

    @property
    def text(self) -> str:
        """The text in which words are searched: the statement, or the method and the path."""
        return f"{self.method} {self.path}" if self.statement is None else self.statement


Match: TypeAlias = str | Callable[[Call], bool] | None


@dataclass(frozen=True, slots=True)
class Fail:
    """An error in place of the true answer: an HTTP status, or for SQL without a status an error of the statement."""

    status: int | None
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Delay:
    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed without an answer."""


@dataclass(frozen=True, slots=True)
class Do:
    """A function of the test, called in a thread while the request waits."""

    function: Callable[[Call], object]


Effect: TypeAlias = Fail | Delay | Drop | Do


@dataclass(slots=True, eq=False)
class Rule:
    """A fault and the calls that it applies to; `matched` counts fitting calls, `fired` those that it happened to."""

    effect: Effect
    match: Match = None
    kind: Kind | None = None
    when: When = "before"
    nth: int = 1
    times: int | None = 1
    inside: bool | None = False
    matched: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def fits(self, call: Call) -> bool:
        """Whether the rule fits the call, whatever the call's number."""
        if self.kind is None and call.kind == "session":
            return False
        if self.kind not in (None, call.kind) or self.inside not in (None, call.inside):
            return False
        if self.match is None:
            return True
        return has_words(call.text, self.match) if isinstance(self.match, str) else self.match(call)

    def takes(self, call: Call) -> bool:
        """Count the call; returns whether the fault happens to it."""
        if not self.fits(call):
            return False
        self.matched += 1
        last = None if self.times is None else self.nth + self.times - 1
        if self.matched < self.nth or (last is not None and self.matched > last):
            return False
        self.fired += 1
        return True


def has_words(text: str, words: str) -> bool:
    """Whether the text contains the words in this order, in any case, with anything between them.

    >>> has_words("create or replace task T as select 1", "CREATE TASK")
    True
    >>> has_words("POST /api/v2/databases/D/schemas/S/tasks/T:execute", "POST /tasks/ :execute")
    True
    >>> has_words("DROP TASK T", "CREATE TASK")
    False
    """
    at, folded = 0, text.upper()
    for word in words.upper().split():
        found = folded.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return True


class Faults:
    """The rules and the log of one server. Rules are tried in the order in which they were set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._calls: dict[int, Call] = {}
        self._seen: set[str] = set()
        self._count = 0

    # -- setting rules

    def fail(
        self,
        match: Match = None,
        *,
        status: int | None = None,
        code: str = "000603",
        sentence: str = "a fault set by a test",
        kind: Kind | None = None,
        when: When = "before",
        nth: int = 1,
        times: int | None = 1,
        inside: bool | None = False,
    ) -> Rule:
        """Answer with an error. Without a `status`, a statement fails with code and message, a REST call with 500."""
        return self.add(Rule(Fail(status, code, sentence), match, kind, when, nth, times, inside))

    def delay(
        self,
        seconds: float,
        match: Match = None,
        *,
        kind: Kind | None = None,
        when: When = "before",
        nth: int = 1,
        times: int | None = None,
        inside: bool | None = False,
    ) -> Rule:
        """Delay calls, by default every fitting call."""
        return self.add(Rule(Delay(seconds), match, kind, when, nth, times, inside))

    def drop(
        self,
        match: Match = None,
        *,
        kind: Kind | None = None,
        when: When = "before",
        nth: int = 1,
        times: int | None = 1,
        inside: bool | None = False,
    ) -> Rule:
        """Close the connection without an answer, before or after the effect of the call."""
        return self.add(Rule(Drop(), match, kind, when, nth, times, inside))

    def do(
        self,
        function: Callable[[Call], object],
        match: Match = None,
        *,
        kind: Kind | None = None,
        when: When = "before",
        nth: int = 1,
        times: int | None = 1,
        inside: bool | None = False,
    ) -> Rule:
        """Call a function while the request waits, for example to kill a process, or to change the account."""
        return self.add(Rule(Do(function), match, kind, when, nth, times, inside))

    def add(self, rule: Rule) -> Rule:
        if rule.nth < 1 or (rule.times is not None and rule.times < 1):
            raise ValueError("`nth` and `times` count from 1")
        with self._lock:
            self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        with self._lock:
            if rule in self._rules:
                self._rules.remove(rule)

    def clear(self) -> None:
        """Forget every rule; the log stays."""
        with self._lock:
            self._rules.clear()

    # -- the log

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of clients since the last `forget_calls`, in the order in which they came.

        They include calls of steps and jobs (`inside`) and of kind `session`.
        """
        with self._lock:
            return tuple(self._calls.values())

    def count(self, match: Match = None, *, kind: Kind | None = None, inside: bool | None = False) -> int:
        """The number of fitting calls, counted like those of a rule."""
        wanted = Rule(Drop(), match, kind, inside=inside)
        return sum(wanted.fits(call) for call in self.calls)

    def forget_calls(self) -> None:
        with self._lock:
            self._calls.clear()

    # -- what the layer asks

    def begun(self, call: Call) -> tuple[Call, tuple[Rule, ...]]:
        """Log the call; returns it with its number, and the rules that apply to it."""
        with self._lock:
            self._count += 1
            repeated = call.request_id is not None and call.request_id in self._seen
            if call.request_id is not None:
                self._seen.add(call.request_id)
            call = replace(call, number=self._count, repeated=repeated)
            head = call.statement and call.statement[:HEAD]
            self._calls[call.number] = replace(call, statement=head)
            return call, tuple(self._acting(call))

    def _acting(self, call: Call) -> Iterator[Rule]:
        for rule in self._rules:
            if rule.takes(call):
                yield rule

    def ended(self, call: Call, *, status: int | None, code: str | None, dropped: bool) -> None:
        """Record the answer to a call."""
        with self._lock:
            logged = self._calls.get(call.number)
            if logged is not None:
                self._calls[call.number] = replace(logged, status=status, code=code, dropped=dropped)
