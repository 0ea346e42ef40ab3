"""SF2xx, names: names that Snowflake takes, and tasks that would have the same name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from sfml.base.diagnostic import Diagnostic, Label, did_you_mean
from sfml.base.quoting import name_parts, raw
from sfml.check.case import Case, error
from sfml.graph.located import Place
from sfml.graph.model import (
    CallBody,
    GraphSettings,
    NotifyBody,
    OnPool,
    OnWarehouse,
    StreamSchedule,
    TaskNode,
)
from sfml.semantics.limits import MAX_IDENTIFIER_LENGTH

_LEASE = "SFML_LEASE$"
"""The beginning of the name of a lease: see `snowflake.leases`."""
MAX_ROOT = MAX_IDENTIFIER_LENGTH - len(_LEASE)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PART = r"(?:[A-Za-z_][A-Za-z0-9_$]*|\"(?:[^\"\x00]|\"\")+\")"
_IDENTIFIER = re.compile(_PART + r"\Z")
_QUALIFIED = re.compile(rf"{_PART}(?:\.{_PART}){{0,2}}\Z")
_RESERVED = {"config": "`${config.…}` reads the graph's CONFIG", "run": "`${run.…}` reads the run"}


def invalid_task_names(case: Case) -> Iterator[Diagnostic]:
    """SF201: a task has a name that cannot be used.

    What: a task name consists of letters, digits and `_`, begins with a letter or `_`, is not `config` or `run`, and
    is short enough that `<PIPELINE>$<TASK>` has at most 255 characters. The name of the pipeline, or of its root, has
    at most 244. A task's own name (`name:`) does not begin with `<PIPELINE>$$`.
    Why: the name becomes part of an unquoted Snowflake identifier, and is used in `${…}`. The stage of the pipeline's
    lease is named `SFML_LEASE$<PIPELINE>`, and graphs of parts and backfills begin with `<PIPELINE>$$`.
    Instead: rename the task.
    """
    root = raw(case.draft.root_name or case.draft.pipeline.upper())
    if len(root) > MAX_ROOT:
        message = f"the name of the pipeline, `{root[:40]}…`, is too long"
        length = len(root) + len(_LEASE)
        why = f"its lease has a name of {length} characters; Snowflake takes {MAX_IDENTIFIER_LENGTH}"
        at = case.draft.places.get("root.name") or case.draft.places["pipeline"]
        yield error("SF201", message, at, why=why, help=f"shorten it to {MAX_ROOT} characters")
        return
    for task in case.tasks:
        own = task.node.own_name
        full = f"{root}${task.name}"
        if not _WORD.match(task.name):
            message = f"`{task.name}` cannot be the name of a task"
            help = "begin with a letter or `_`; use letters, digits and `_`"
            yield error("SF201", message, task.place(""), help=help)
        elif task.name.lower() in _RESERVED:
            message = f"no task may be named `{task.name}`"
            help = f"rename it; {_RESERVED[task.name.lower()]}"
            yield error("SF201", message, task.place(""), help=help)
        elif own is not None and raw(own).startswith(f"{root}$$"):
            message = f"`{raw(own)[:60]}` is a name of sfml's own graphs"
            why = f"names that begin with `{root}$$` belong to graphs of parts of runs and of backfills"
            yield error("SF201", message, task.place("name"), why=why, help="give it another name")
        elif own is None and len(full) > MAX_IDENTIFIER_LENGTH:
            message = f"the name of task `{task.name[:40]}…` is too long"
            why = f"with the pipeline's name it has {len(full)} characters; Snowflake takes {MAX_IDENTIFIER_LENGTH}"
            yield error("SF201", message, task.place(""), why=why, help="shorten it")


def clashing_names(case: Case) -> Iterator[Diagnostic]:
    """SF202: two tasks have the same name once Snowflake folds it to upper case.

    What: no two names differ in case only.
    Why: Snowflake folds unquoted identifiers to upper case, so both would be one task, and the later one would replace
    the earlier one without a message.
    Instead: rename one of them.
    """
    root = raw(case.draft.root_name or case.draft.pipeline.upper())
    first: dict[str, Place] = {root: case.draft.places["pipeline"]}
    for task in case.tasks:
        own = task.node.own_name
        full = f"{root}${task.name.upper()}" if own is None else raw(own)
        if full in first:
            what = "another task in upper case" if full != root else "the root"
            message = f"task `{task.name}` has the name of {what}"
            why = f"Snowflake would make one task of both: `{full}`"
            labels = (Label(first[full].span, "the other one"),)
            at = task.place("name") if own is not None else task.place("")
            yield error("SF202", message, at, labels=labels, why=why, help="rename one of them")
        first.setdefault(full, task.place(""))


def wrong_moves(case: Case) -> Iterator[Diagnostic]:
    """SF214: an entry of `moved` names a task that does not exist, or one that still has its old name.

    What: `to` is a task of the graph; `from` is a name that no task of the graph has any more. Each name is in one
    entry only.
    Why: sfml drops the task `from` once `to` exists, and links their histories. A task that still has the name `from`
    would be dropped.
    Instead: correct the names, or remove the entry once every target has the new name.
    """
    seen: dict[tuple[str, str], Place] = {}
    for old, to in case.draft.moved:
        if to.name not in case.by_name and to.name not in case.draft.removed:
            message = f"`moved` leads to `{to.name}`, which is not a task"
            free = [
                name for name in case.by_name if name not in {other.name for _, other in case.draft.moved}
            ]
            help = did_you_mean(to.name, free) or "name a task of this graph"
            yield error("SF214", message, to.place, help=help)
        if old.name in case.by_name:
            message = f"`moved` leads away from `{old.name}`, which is still a task"
            yield error("SF214", message, old.place, help="take the entry out, or the task")
        for end, ref in (("from", old), ("to", to)):
            earlier = seen.setdefault((end, ref.name.upper()), ref.place)
            if earlier is not ref.place:
                message = f"`{ref.name}` stands in `{end}` of two moves"
                labels = (Label(earlier.span, "the other one"),)
                yield error("SF214", message, ref.place, labels=labels, help="leave one of them")


def invalid_identifiers(case: Case) -> Iterator[Diagnostic]:
    """SF209: the name of a Snowflake object is not an identifier.

    What: names of databases, schemas, tables, warehouses, pools, integrations, procedures, streams and users are
    identifiers of at most 255 characters: letters, digits, `_` and `$`, or any text in double quotes.
    Why: any other text could change the statement that it is put into.
    Instead: correct the name, or quote it: '"my warehouse"'.
    """
    for setting, name, is_qualified, place in _names(case):
        pattern = _QUALIFIED if is_qualified else _IDENTIFIER
        if name is None:
            continue
        if pattern.match(name) and is_too_long(name):
            yield error("SF209", f"`{name[:60]}…` is too long a name", place, label=setting, help=SHORTEN)
        elif not name:
            yield error(
                "SF209", f"the name of {setting} is empty", place, help="name it, or take the entry out"
            )
        elif not pattern.match(name):
            help = "use letters, digits, `_` and `$`, or put the name in double quotes"
            if "schema" in setting and not name.replace('""', "").replace('"', "").isascii():
                help = "use letters, digits, `_` and `$`"
            message = f"`{name[:60]}` is not the name of a Snowflake object"
            yield error("SF209", message, place, label=setting, help=help)


SHORTEN = f"shorten it to {MAX_IDENTIFIER_LENGTH} characters"


def is_too_long(name: str) -> bool:
    """Whether a part of the name is longer than Snowflake takes; quotes around it do not count."""
    return any(len(raw(part)) > MAX_IDENTIFIER_LENGTH for part in name_parts(name))


def _names(case: Case) -> Iterator[tuple[str, str | None, bool, Place]]:
    """Kind of object, name, whether the name may be qualified, and place of every name of an object.

    The name is None for a setting that the spec does not have.
    """
    draft = case.draft
    settings = draft.settings
    for setting, what, name, is_qualified in _names_of_root(settings):
        key = setting.removesuffix("!key")
        place = draft.places.get(f"schedule_config.{key}") or draft.places["schedule_config"]
        yield what, name, is_qualified, place
    for channel in settings.alerts.channels if settings.alerts else ():
        yield (
            "a notification integration",
            channel.integration,
            False,
            channel.place or draft.places["schedule_config"],
        )
    if isinstance(settings.schedule, StreamSchedule):
        for stream in settings.schedule.streams:
            whole = draft.places["schedule_config.schedule"]
            yield "a stream", stream, True, draft.places.get("schedule_config.schedule.on_stream", whole)
    for seed in draft.seeds:
        yield "a table", seed.table, True, draft.places[f"seeds.{seed.table}"]
    if draft.root_name is not None:
        yield "a task", draft.root_name, False, draft.places.get("root.name", draft.places["tasks"])
    for task in case.tasks:
        for setting, what, name, is_qualified in _names_of(task.node):
            yield what, name, is_qualified, task.place(setting, re.split(r"[.[]", setting)[0])


def _names_of_root(settings: GraphSettings) -> Iterator[tuple[str, str, str | None, bool]]:
    """Setting, kind of object, name, and whether the name may be qualified."""
    yield "alerts.on_error", "a notification integration", settings.on_error, False
    yield "alerts.on_success", "a notification integration", settings.on_success, False
    yield "execute_as_user", "a user", settings.execute_as_user, False
    if isinstance(settings.run_on, OnWarehouse):
        yield "run_on.warehouse", "a warehouse", settings.run_on.warehouse, False
    yield from _labels(settings)


def _labels(owner: TaskNode | GraphSettings) -> Iterator[tuple[str, str, str, bool]]:
    """The names of tags, contacts and session parameters, which roots and tasks have."""
    for tag in owner.tags:
        yield f"tags.{tag}!key", "a tag", tag, True
    for purpose, contact in owner.contacts.items():
        yield f"contacts.{purpose}!key", "the purpose of a contact", purpose, False
        yield f"contacts.{purpose}", "a contact", contact, True
    for parameter in owner.session_parameters:
        yield f"session_parameters.{parameter}!key", "a session parameter", parameter, False


def _names_of(node: TaskNode) -> Iterator[tuple[str, str, str | None, bool]]:
    match node.run_on:  # names that the target lacks are findings about the target
        case OnWarehouse(warehouse=warehouse):
            yield "run_on.warehouse", "a warehouse", warehouse or None, False
        case OnPool(pool=pool, warehouse=warehouse):
            yield "run_on.pool", "a compute pool", pool or None, False
            yield "run_on.warehouse", "a warehouse", warehouse or None, False
    match node.body:
        case CallBody(procedure=procedure):
            yield "call.procedure", "a procedure", procedure, True
        case NotifyBody(integration=integration):
            yield "notify.integration", "a notification integration", integration, False
    yield "name", "a task", node.own_name, False
    yield "execute_as_user", "a user", node.execute_as_user, False
    for name in node.external_access:
        yield "external_access", "an external access integration", name, False
    for key, secret in node.secrets.items():
        yield f"secrets.{key}", "a secret", secret, True
    for setting, tables in (("reads", node.reads), ("writes", node.writes)):
        for index, name in enumerate(tables):
            yield f"{setting}[{index}]", "a table", name, True
    for name in node.artifact_repositories:
        yield "artifact_repositories", "an artifact repository", name, True
    yield from _labels(node)


def names_given_twice(case: Case) -> Iterator[Diagnostic]:
    """SF217: two keys name one object once Snowflake folds them to upper case.

    What: no two tags and no two purposes of contacts of a task, and no two tables of `seeds`, differ in case only.
    Why: Snowflake folds unquoted identifiers to upper case, so one of the two values would be lost, or the statement
    refused.
    Instead: take one of them out.
    """
    for what, names, place in _mappings(case):
        first: dict[tuple[str, ...], str] = {}
        for name in names:
            other = first.setdefault(_folded_parts(name), name)
            if other != name:
                message = f"`{other}` and `{name}` are one {what}"
                labels = (Label(place(other).span, "the other one"),)
                yield error("SF217", message, place(name), labels=labels, help="take one of them out")


def _folded_parts(name: str) -> tuple[str, ...]:
    return tuple(raw(part) for part in re.findall(_PART, name)) or (name,)


def _mappings(case: Case) -> Iterator[tuple[str, Iterable[str], Callable[[str], Place]]]:
    """What the keys of a mapping name, the keys, and the place of each."""
    draft = case.draft
    for what, key in (("tag", "tags"), ("purpose of a contact", "contacts")):
        yield what, getattr(draft.settings, key), _place_below(draft.places, f"schedule_config.{key}", "")
        for task in case.tasks:
            yield what, getattr(task.node, key), _place_below(task.places, key, "!key")
    yield "table", [seed.table for seed in draft.seeds], _place_below(draft.places, "seeds", "")


def _place_below(places: Mapping[str, Place], key: str, end: str) -> Callable[[str], Place]:
    return lambda name: places.get(f"{key}.{name}{end}") or places.get(f"{key}.{name}") or places[key]


def invalid_targets(case: Case) -> Iterator[Diagnostic]:
    """SF211: the target lacks a setting, or has a name that is not an identifier.

    What: a target of kind account names a database, a schema and a warehouse; their names are identifiers of at most
    255 characters. The schema is not INFORMATION_SCHEMA.
    Why: the generated root task runs on the target's warehouse, and all objects are created in its schema.
    Instead: complete the target in `sfml.yaml`.
    """
    target = case.draft.target
    place = case.draft.places["target"]
    for key, name in (
        ("database", target.database),
        ("schema", target.schema),
        ("warehouse", target.warehouse),
        ("stage", target.stage),
        ("owner_role", target.owner_role),
        ("compute_pool", target.compute_pool),
    ):
        if name == "":
            help = f"add `{key}: …` to `targets.{target.name}` in sfml.yaml"
            yield error("SF211", f"target `{target.name}` has no {key}", place, help=help)
        elif name and name.startswith('"') and not _is_plain(case, key):
            at = case.draft.places.get(f"target.{key}", place)
            bare = name.strip('"')
            message = f"`{bare}` is not the name of a {key.replace('_', ' ')}"
            help = "use letters, digits, `_` and `$`, or quote it in double quotes inside single ones"
            if key == "schema" and "{{" in _written(case, key):
                help = "the value comes from an expression; with `{{ user }}` in it, give --user a plain name"
            yield error("SF211", message, at, help=help)
        elif name and is_too_long(name):
            at = case.draft.places.get(f"target.{key}", place)
            message = f"`{raw(name)[:60]}…` is too long a name of a {key.replace('_', ' ')}"
            yield error("SF211", message, at, help=SHORTEN)
        elif key == "schema" and name == "INFORMATION_SCHEMA":
            at = case.draft.places.get("target.schema", place)
            why = "Snowflake creates nothing in it"
            yield error(
                "SF211", "the schema cannot be INFORMATION_SCHEMA", at, why=why, help="name another one"
            )


def _is_plain(case: Case, key: str) -> bool:
    """Whether the user wrote the quotes of the name."""
    return _written(case, key).startswith('"')


def _written(case: Case, key: str) -> str:
    return case.draft.written_target.get(key, "")
