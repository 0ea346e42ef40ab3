"""Tasks created, changed, tagged, listed and dropped with snowflake.core.

As https://docs.snowflake.com/en/developer-guide/snowflake-python-api/snowflake-python-managing-tasks writes them.
"""

import json
from datetime import timedelta

import snowflake.connector
from snowflake.core import CreateMode, Root
from snowflake.core.exceptions import ConflictError, NotFoundError
from snowflake.core.tag import TagValue
from snowflake.core.task import Cron, Task


def main() -> None:
    connection = snowflake.connector.connect(connection_name="local")
    root = Root(connection)
    schema = root.databases["SFML"].schemas["PUBLIC"]
    tasks = schema.tasks

    task = tasks.create(
        Task(name="crud", definition="select 1", schedule=timedelta(hours=1), warehouse="LOCAL_WH")
    )
    found = task.fetch()
    told = {"created": [found.name, found.schedule.total_seconds(), found.warehouse, found.state]}
    try:
        tasks.create(Task(name="crud", definition="select 2"))
    except ConflictError as error:
        told["conflict"] = error.status
    tasks.create(Task(name="crud", definition="select 2"), mode=CreateMode.if_not_exists)
    told["kept"] = task.fetch().definition

    changed = task.fetch()
    changed.definition = "select 3"
    changed.schedule = Cron("0 9 * * 1-5", "America/New_York")
    changed.comment = "changed"
    task.create_or_alter(changed)
    after = task.fetch()
    told["altered"] = [
        after.definition,
        after.schedule.expr,
        after.schedule.timezone,
        after.comment,
        after.id == found.id,
    ]
    task.create_or_alter(Task(name="crud", definition="select 3"))
    told["replaced"] = [task.fetch().schedule, task.fetch().comment, task.fetch().warehouse]

    cost, team = schema.tags["cost"], schema.tags["team"]
    task.set_tags({cost: TagValue(value="ml"), team: TagValue(value="data")})
    told["tags"] = {tag.name: value.value for tag, value in task.get_tags().items()}
    task.unset_tags({team})
    told["left"] = {tag.name: value.value for tag, value in task.get_tags().items()}

    child = tasks.create(Task(name="crud_child", definition="select 4", predecessors=["crud"]))
    told["dependents"] = [one.name for one in task.fetch_task_dependents()]
    told["roots"] = [one.name for one in tasks.iter(like="crud%", root_only=True)]
    child.resume()
    task.resume()
    told["state"] = task.fetch().state
    task.suspend()
    child.drop()
    task.drop()
    task.drop(if_exists=True)
    try:
        task.fetch()
    except NotFoundError as error:
        told["gone"] = error.status
    print(json.dumps(told))


if __name__ == "__main__":
    main()
