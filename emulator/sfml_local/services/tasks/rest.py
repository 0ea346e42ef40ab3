"""The task operations of Snowflake's REST API; `rest.py` holds what all resources share.

https://docs.snowflake.com/en/developer-guide/snowflake-rest-api/reference/task
"""

from __future__ import annotations

from sfml_local.core.names import ObjectName
from sfml_local.core.rest_call import Accepted, Call, Json, Operations, bad_request, done, identifier
from sfml_local.services.tasks import commands, store, tag_store, tags
from sfml_local.services.tasks import execution as service
from sfml_local.services.tasks.bodies import run_body, settings_from_body, tag_body, task_body
from sfml_local.services.tasks.commands import Created
from sfml_local.services.tasks.history import graph_row


def list_tasks(call: Call) -> list[Json]:
    commands.demand_schema(call.account, call.database, call.schema)
    root_only = call.truth("rootOnly")
    tasks = {
        task.name.name: task
        for task in store.in_schema(call.account.store, call.database, call.schema)
        if task.settings.is_root or not root_only
    }
    return [task_body(call.account, tasks[name]) for name in call.shown(list(tasks))]


def create_task(call: Call) -> Json:
    body = call.mapping()
    name = ObjectName(call.database, call.schema, call.named(body))
    commands.demand_schema(call.account, call.database, call.schema)
    with call.account.store.transaction():
        if call.mode == "ifNotExists" and store.find(call.account.store, name):
            return done(f"{name.name} already exists, statement succeeded.")
        settings = settings_from_body(call.account, name, body)
        commands.create(call.account, call.session, name, settings, replace_it=call.mode == "orReplace")
    return done(f"Task {name.name} successfully created.")


def fetch_task(call: Call) -> Json:
    return task_body(call.account, commands.fetch(call.account, call.object))


def create_or_alter_task(call: Call) -> Json:
    body = call.mapping()
    call.named(body)
    settings = settings_from_body(call.account, call.object, body)
    made = commands.create_or_alter(call.account, call.session, call.object, settings)
    word = "created" if made is Created.CREATED else "altered"
    return done(f"Task {call.object.name} successfully {word}.")


def delete_task(call: Call) -> Json:
    with call.account.store.transaction():
        if call.truth("ifExists") and store.find(call.account.store, call.object) is None:
            return done(f"Drop statement executed successfully ({call.object.name} already dropped).")
        commands.drop(call.account, call.object)
    return done(f"{call.object.name} successfully dropped.")


def execute_task(call: Call) -> Json | Accepted:
    if call.truth("retryLast"):
        service.retry_last(call.account, call.object)
    else:
        service.execute(call.account, call.object)
    answer = done(f"Task {call.object.name} is scheduled to run immediately.")
    return Accepted(answer) if call.truth("asyncExec") else answer


def resume_task(call: Call) -> Json:
    service.resume(call.account, call.object)
    return done()


def suspend_task(call: Call) -> Json:
    commands.suspend(call.account, call.object)
    return done()


def dependents(call: Call) -> list[Json]:
    found = commands.dependents(call.account, call.object, call.truth("recursive", default=True))
    return [task_body(call.account, task) for task in found]


def current_graphs(call: Call) -> list[Json]:
    task = commands.fetch(call.account, call.object)
    runs = service.current_runs(call.account, task.id)[: call.limit("resultLimit", 1000)]
    return [run_body(graph_row(call.account, run)) for run in runs]


def complete_graphs(call: Call) -> list[Json]:
    task = commands.fetch(call.account, call.object)
    runs = service.complete_runs(call.account, task.id, error_only=call.truth("errorOnly"))
    return [run_body(graph_row(call.account, run)) for run in runs[: call.limit("resultLimit", 1000)]]


def set_tags(call: Call) -> Json:
    given = {tag_in(call, one): tag_value_in(one) for one in call.listing()}
    task = _tagged(call)
    if task is not None:
        tags.set_tags(call.account, task, given)
    return done()


def unset_tags(call: Call) -> Json:
    given = [tag_in(call, one) for one in call.listing()]
    task = _tagged(call)
    if task is not None:
        tag_store.unset_tags(call.account.store, task, given)
    return done()


def get_tags(call: Call) -> list[Json]:
    """The task's tags; the same with lineage, because databases and schemas have no tags here."""
    call.truth("withLineage")
    task = commands.fetch(call.account, call.object)
    return [tag_body(tag, value) for tag, value in tag_store.tags_of(call.account.store, task.id).items()]


def _tagged(call: Call) -> str | None:
    """The id of the task to tag; None if it is missing and IF EXISTS is given."""
    if call.truth("ifExists") and store.find(call.account.store, call.object) is None:
        return None
    return commands.fetch(call.account, call.object).id


def tag_in(call: Call, one: Json) -> ObjectName:
    if not one.get("tag_name"):
        raise bad_request("Missing required field: tag_name.")
    database = identifier(one["tag_database"]) if one.get("tag_database") else call.database
    schema = identifier(one["tag_schema"]) if one.get("tag_schema") else call.schema
    return ObjectName(database, schema, identifier(one["tag_name"]))


def tag_value_in(one: Json) -> str:
    if not isinstance(one.get("tag_value"), str):
        raise bad_request("Missing required field: tag_value.")
    return str(one["tag_value"])


_TASKS = "/databases/{database}/schemas/{schema}/tasks"

OPERATIONS: Operations = {
    f"GET {_TASKS}": list_tasks,
    f"POST {_TASKS}": create_task,
    f"GET {_TASKS}/{{name}}": fetch_task,
    f"PUT {_TASKS}/{{name}}": create_or_alter_task,
    f"DELETE {_TASKS}/{{name}}": delete_task,
    f"POST {_TASKS}/{{name}}:execute": execute_task,
    f"POST {_TASKS}/{{name}}:resume": resume_task,
    f"POST {_TASKS}/{{name}}:suspend": suspend_task,
    f"POST {_TASKS}/{{name}}:set-tags": set_tags,
    f"POST {_TASKS}/{{name}}:unset-tags": unset_tags,
    f"GET {_TASKS}/{{name}}:get-tags": get_tags,
    f"GET {_TASKS}/{{name}}/dependents": dependents,
    f"GET {_TASKS}/{{name}}/current-graphs": current_graphs,
    f"GET {_TASKS}/{{name}}/current_graphs": current_graphs,
    f"GET {_TASKS}/{{name}}/complete-graphs": complete_graphs,
    f"GET {_TASKS}/{{name}}/complete_graphs": complete_graphs,
}
