"""What the findings of reading mean: those that no rule of `sfml.check` stands for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        "SF101": """SF101: the file is not valid YAML.

    What: specs are YAML 1.2 in blocks or in flow style.
    Why: nothing in the file can be trusted when its structure is unclear.
    Instead: mend what the message names; most often a bracket or quote is not closed, a tab indents, or text
    holds `: ` and needs quotes.
    """,
        "SF102": """SF102: a key stands twice in one mapping.

    What: keys are unique; other readers keep the last and say nothing.
    Why: one of the two values would silently not count.
    Instead: take one out.
    """,
        "SF103": """SF103: the file is not text.

    What: specs are UTF-8 without control characters.
    Why: what cannot be shown cannot be reviewed.
    Instead: save the file as UTF-8, and remove the character.
    """,
        "SF104": """SF104: the input is larger than a spec can be.

    What: at most 1 MB, 100,000 values with aliases unfolded, 60 levels, 3,000 expressions and 3,000 tasks a file.
    Why: Snowflake takes 1,000 tasks in a graph; more is a mistake, or meant to hurt.
    Instead: split the pipeline.
    """,
        "SF105": """SF105: YAML that specs do not use.

    What: one document a file; no merge keys (`<<`), no tags but those of the core schema, keys that are text,
    aliases of what stands above them.
    Why: each reads differently in different programs.
    Instead: write the values out, or use defaults, `include` and the patches of a target.
    """,
        "SF106": """SF106: a number that JSON cannot hold.

    What: `.inf`, `.nan` and numbers out of range.
    Why: values travel to Snowflake as JSON.
    Instead: write a number, or quote it if it is text.
    """,
        "SF110": """SF110: a key that is not known where it stands.

    What: every key is one of the language's.
    Why: a misspelt setting would silently not count.
    Instead: correct it; `sfml schema` and editors list the keys.
    """,
        "SF111": """SF111: a key is missing.

    What: some keys have no default.
    Why: without them there is nothing to build.
    Instead: add the key.
    """,
        "SF112": """SF112: a value of the wrong type.

    What: text, numbers, true and false, lists and mappings are not turned into each other; YAML 1.2's core
    rules decide what is which, so `yes`, `NO`, dates and `1_000` are text.
    Why: guessing is how a version `1.10` becomes 1.1.
    Instead: quote text, and write numbers without quotes.
    """,
        "SF113": """SF113: a value that is not allowed.

    What: names, words and numbers have to be among those that Snowflake takes.
    Why: Snowflake would refuse it when the pipeline is applied.
    Instead: use one that the message names.
    """,
        "SF114": """SF114: settings that exclude each other, or none of those of which one is needed.

    What: a task does exactly one of `step`, `job`, `call`, `sql`, `notify`, and runs in one place.
    Why: there would be nothing to do, or no telling which.
    Instead: keep one.
    """,
        "SF115": """SF115: a setting that is known, but not possible here.

    What: some settings belong to tasks of another kind.
    Why: the message says it.
    Instead: take it out.
    """,
        "SF120": """SF120: there is no project.

    What: `sfml.yaml` is looked for in the folder of the spec and above.
    Why: it says where pipelines run and where step code lives.
    Instead: make one with `sfml init`.
    """,
        "SF121": """SF121: a file or folder is not there, or cannot be read.

    What: paths are relative to the file that names them.
    Why: the pipeline is not complete without it.
    Instead: correct the path.
    """,
        "SF122": """SF122: a path leads out of the project.

    What: files lie below the folder of `sfml.yaml`, links followed.
    Why: a spec must not reach what its reviewers do not see.
    Instead: move the file into the project.
    """,
        "SF130": """SF130: an expression names something that does not exist.

    What: `var`, `target`, `env`, `pipeline`, `user`, `git`; `param` in included files; `each` with `for_each`.
    Why: an empty value in its place would go unnoticed.
    Instead: correct the name, or declare it.
    """,
        "SF131": """SF131: an expression that cannot be evaluated.

    What: `{{ … }}` holds one Jinja expression over names, values, operators and a few filters.
    Why: specs are data: whoever reviews one must not have to run it.
    Instead: simplify it.
    """,
        "SF132": """SF132: a value for a variable or parameter that is not declared.

    What: `variables` of the pipeline or project file, and `parameters` of included files, are all there is.
    Why: a misspelt name would leave the default in place.
    Instead: correct the name, or declare it.
    """,
        "SF133": """SF133: a variable without a value, or with one that it may not have.

    What: values have the declared type, and are among `allowed`.
    Why: it was declared so that nothing else gets in.
    Instead: give it another value.
    """,
        "SF134": """SF134: there is no such target, or no telling which is meant.

    What: targets are defined in `sfml.yaml`; one of them has `default: true`.
    Why: nothing is ever deployed to a target that was not named.
    Instead: name it with --target, or define it.
    """,
        "SF140": """SF140: a `${…}` that cannot be read.

    What: `${task.field}`, `${config.key}`, `${run.id}`; `$${` stands for a plain `${`.
    Why: the step would get the text instead of the value.
    Instead: correct it.
    """,
        "SF150": """SF150: a finding cannot be silenced like this.

    What: `# sfml: ignore SF326 -- reason` at the end of a line or above it, or `ignore` in `sfml.yaml`; the code
    exists, stands for a warning, and a reason is given.
    Why: whoever reads the spec later has to see what was accepted, and why; errors cannot be accepted.
    Instead: give the reason, correct the code, or mend what was found.
    """,
        "SF151": """SF151: a silencing silences nothing.

    What: a comment `sfml: ignore` or an entry of `ignore` whose code is found in no target.
    Why: it would hide the next finding of this kind, which nobody has looked at.
    Instead: take it out.
    """,
        "SF212": """SF212: an included task has the name of another.

    What: names are unique in a graph, whichever file they come from.
    Why: one of the two would be lost.
    Instead: give the include a `prefix`.
    """,
        "SF215": """SF215: a `for_each` of nothing.

    What: the list or mapping of a `for_each` has at least one entry, unless `allow_empty: true` stands beside it.
    Why: a list that came out empty by mistake would take the work out of the graph, and every run would succeed.
    Instead: give it a value; or allow it: what follows then runs after what was before.
    """,
        "SF216": """SF216: a patch of a task that is not there.

    What: a target's patch changes a task of the graph, one member of a `for_each` (`train_retail`), or adds a whole
    task. One in `sfml.yaml` speaks to all pipelines, and changes a task of at least one: told where all are looked at.
    Why: the change would be lost without a word.
    Instead: correct the name.
    """,
        "SF213": """SF213: two pipelines have one root task.

    What: of the pipelines that are validated together, no two have the same name in the same schema, whatever its
    case.
    Why: the root is named after the pipeline; each apply would replace the other one's graph.
    Instead: rename one, or give the target a schema for each pipeline.
    """,
        "SF333": """SF333: a value that some way through the graph leaves unset.

    What: a task, or its condition, reads the result of one that has succeeded whichever outcomes branches return, and
    whatever fails, or is ready for nothing: a parameter that may be `None`, a statement that says what a NULL is to
    be, a condition that asks for the state of the task first.
    Why: a skipped task, and one that failed or never ran, returns nothing: Snowflake answers NULL, in which a step
    finds no field, and a message with NULL in it is no message. An error where nothing has to fail for that; a warning
    where only a failure leads there, where a condition decides that cannot be told, or where the reader goes on with
    nothing.
    Instead: read the value in a task of the same arm, or take the whole result into a parameter that may be `None`.
    """,
        "SF509": """SF509: one stream starts two pipelines.

    What: of the pipelines that are validated together, no two are started by the same stream.
    Why: a stream has one consumer: whichever reads it first takes the rows from the other.
    Instead: create a stream for each on the same table.
    """,
        "SF506": """SF506: not a duration.

    What: a number with its unit, s, m, h or d, or several of them: `90s`, `1h30m`.
    Why: a number alone could mean seconds or minutes.
    Instead: add the unit.
    """,
        "SF704": """SF704: a time of a test that cannot be read.

    What: `2026-11-29T00:00Z`, with any offset; without one it is a time by the clock of `timezone`, which is a
    region such as `Europe/Berlin`.
    Why: there would be no telling which runs are meant.
    Instead: write date and time, and `from` before `until`.
    """,
        "SF710": """SF710: a test of the graph fails.

    What: `sfml test` carries a run, or a stretch of the schedule, out by Snowflake's rules and compares it with what
    the test expects.
    Why: the graph does something else than its authors said it should.
    Instead: mend the graph, or the test when the new behaviour is meant; `sfml simulate` shows every way through it.
    """,
        "SF711": """SF711: a test of the graph cannot be decided.

    What: what a branch chooses, and what conditions read, has to be given in the test where it matters.
    Why: to guess is to show nothing.
    Instead: give the outcome, `returns`, `when` or `streams` that the message names; or run the real steps with
    `sfml test --local`.
    """,
    }
)
