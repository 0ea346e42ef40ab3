"""Explanations of the codes that are found by reading specs and by tests, for which `sfml.check` has no rule."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

EXPLANATIONS: Mapping[str, str] = MappingProxyType(
    {
        "SF101": """SF101: the file is not valid YAML.

    What: specs are YAML 1.2 in blocks or in flow style.
    Why: a file whose structure cannot be read cannot be checked.
    Instead: correct what the message names. Most often a bracket or quote is not closed, a line is indented with a
    tab, or a text that holds `: ` needs quotes.
    """,
        "SF102": """SF102: a key stands twice in one mapping.

    What: keys are unique. Other YAML readers keep the last one without a message.
    Why: one of the two values would be ignored.
    Instead: remove one of them.
    """,
        "SF103": """SF103: the file is not text.

    What: specs are UTF-8 without control characters.
    Why: reviewers cannot see control characters.
    Instead: save the file as UTF-8, and remove the character.
    """,
        "SF104": """SF104: the input is larger than a spec can be.

    What: at most 1 MB, 100,000 values with aliases unfolded, 60 levels, 3,000 expressions and 3,000 tasks a file.
    Why: Snowflake takes 1,000 tasks in a graph; a larger input is a mistake, or an attack.
    Instead: split the pipeline.
    """,
        "SF105": """SF105: YAML that specs do not use.

    What: a file holds one document. It has no merge keys (`<<`) and only the tags of the core schema; its keys are
    text, and its aliases name anchors above them.
    Why: programs differ in how they read the rest of YAML.
    Instead: write the values out, or use defaults, `include` and the patches of a target.
    """,
        "SF106": """SF106: a number that JSON cannot hold.

    What: `.inf`, `.nan` and numbers out of range are not allowed.
    Why: values are sent to Snowflake as JSON.
    Instead: write a number, or quote it if it is text.
    """,
        "SF110": """SF110: a key that is not known where it stands.

    What: only the keys of the schema are allowed.
    Why: a misspelt setting would be ignored.
    Instead: correct it; `sfml schema` and editors list the keys.
    """,
        "SF111": """SF111: a key is missing.

    What: some keys are required, because they have no default.
    Why: without them the pipeline cannot be built.
    Instead: add the key.
    """,
        "SF112": """SF112: a value of the wrong type.

    What: a value of one type is not converted into another: text, numbers, true and false, lists, mappings. The
    type follows from the core schema of YAML 1.2, in which `yes`, `NO`, dates and `1_000` are text.
    Why: a conversion is a guess; by one, the version `1.10` becomes 1.1.
    Instead: quote text, and write numbers without quotes.
    """,
        "SF113": """SF113: a value that is not allowed.

    What: names, words and numbers must be values that Snowflake accepts.
    Why: Snowflake would refuse it when the pipeline is applied.
    Instead: use a value that the message names.
    """,
        "SF114": """SF114: settings that exclude each other, or a required choice that is missing.

    What: a task has exactly one of `step`, `job`, `call`, `sql`, `notify`, and runs in one place.
    Why: it would be unclear what the task does, or where it runs.
    Instead: keep one of the settings, or add one.
    """,
        "SF115": """SF115: a setting that is known, but not possible here.

    What: some settings belong to tasks of another kind.
    Why: Snowflake has no such setting here; the message gives the reason.
    Instead: remove it.
    """,
        "SF116": """SF116: a key has no value.

    What: a key is followed by its value; a value that is meant to be none is written as `null`.
    Why: YAML reads nothing as null. In a target, null removes the setting; in a task, what `defaults` say of it;
    elsewhere it counts as if the key were not there. A `schedule:` whose lines were taken out makes a pipeline manual.
    Instead: give the key a value, take it out, or write `null`.
    """,
        "SF120": """SF120: there is no project.

    What: a spec needs an `sfml.yaml` in its folder, or in one above it.
    Why: that file says where pipelines run and where the step code is.
    Instead: create one with `sfml init`.
    """,
        "SF121": """SF121: a file or folder does not exist, or cannot be read.

    What: paths are relative to the file that names them.
    Why: the pipeline is incomplete without it.
    Instead: correct the path.
    """,
        "SF122": """SF122: a path leads out of the project.

    What: all files are below the folder of `sfml.yaml`, also when symbolic links are followed.
    Why: a spec must not read files that its reviewers do not see.
    Instead: move the file into the project.
    """,
        "SF130": """SF130: an expression names something that does not exist.

    What: expressions know `var`, `target`, `env`, `pipeline`, `user` and `git`; `param` in included files; `each`
    with `for_each`.
    Why: an empty value in its place would go unnoticed.
    Instead: correct the name, or declare it.
    """,
        "SF131": """SF131: an expression that cannot be evaluated.

    What: `{{ … }}` holds one Jinja expression over names, values, operators and a few filters.
    Why: specs are data, and can be reviewed without running them.
    Instead: simplify it.
    """,
        "SF132": """SF132: a value for a variable or parameter that is not declared.

    What: values are given to names that `variables` of the pipeline or project file, or `parameters` of the included
    file, declare.
    Why: a misspelt name would leave the default in place.
    Instead: correct the name, or declare it.
    """,
        "SF133": """SF133: a variable without a value, or with a value that it may not have.

    What: a value has the declared type, and is one of `allowed`.
    Why: the declaration excludes other values.
    Instead: give it another value.
    """,
        "SF134": """SF134: a target that does not exist, or no target to choose.

    What: targets are defined in `sfml.yaml`; one of them may have `default: true`.
    Why: a pipeline is never deployed to a target that was neither named nor the default.
    Instead: name the target with --target, or define it.
    """,
        "SF140": """SF140: a `${…}` that cannot be read.

    What: references are `${task.field}`, `${config.key}` and `${run.id}`; `$${` stands for a literal `${`.
    Why: the step would get the text instead of the value.
    Instead: correct it.
    """,
        "SF150": """SF150: a finding cannot be silenced like this.

    What: a finding is silenced by `# sfml: ignore SF326 -- reason` at the end of its line or above it, or by `ignore`
    in `sfml.yaml`. The code exists and is that of a warning, and a reason is given.
    Why: readers of the spec need to see what was accepted, and why. Errors cannot be accepted.
    Instead: give the reason, correct the code, or resolve the finding.
    """,
        "SF151": """SF151: a silencing without a finding.

    What: every comment `sfml: ignore`, and every entry of `ignore`, has a finding of its code in some target.
    Why: a silencing that is left over would hide a later finding that nobody has reviewed.
    Instead: remove it.
    """,
        "SF212": """SF212: an included task has the name of another task.

    What: names are unique in a graph, whichever file they come from.
    Why: one of the two tasks would be lost.
    Instead: give the include a `prefix`.
    """,
        "SF215": """SF215: an empty `for_each`.

    What: the list or mapping of a `for_each` has at least one entry, unless `allow_empty: true` stands beside it.
    Why: a list that is empty by mistake would remove its tasks from the graph, and every run would still succeed.
    Instead: give it a value. Or allow it: the tasks after it then run after the tasks before it.
    """,
        "SF216": """SF216: a patch of a task that does not exist.

    What: a target's patch changes a task of the graph, changes one member of a `for_each` (`train_retail`), or adds a
    whole task. A patch in `sfml.yaml` is for all pipelines, and changes a task of at least one of them; this is
    checked when all pipelines of the project are validated together.
    Why: the change would be lost without a message.
    Instead: correct the name.
    """,
        "SF213": """SF213: two pipelines have the same root task, or tasks of one name.

    What: of the pipelines that are validated together, no two have the same name in the same schema, in upper or
    lower case, and no task has a `name` that a task or root of another one has.
    Why: the root is named after the pipeline, so each apply would replace the graph of the other pipeline. An apply
    refuses a task that belongs to another graph.
    Instead: rename one, or give the target a schema for each pipeline.
    """,
        "SF333": """SF333: a value that is not set on some way through the graph.

    What: on every way through the graph, a task and its condition read results only of tasks that have succeeded. Or
    they are prepared for a missing value: the parameter may be `None`, the statement handles NULL, the condition asks
    for the state of the task first.
    Why: a task that was skipped, failed or never ran returns nothing, and Snowflake gives NULL to its readers. A step
    finds no field in NULL, and a message that contains NULL becomes NULL itself. It is an error where the value can be
    missing although no task fails. It is a warning where only a failure leads there, where a condition decides that
    cannot be evaluated, or where the reader continues without the value.
    Instead: read the value in a task of the same arm, or take the whole result into a parameter that may be `None`.
    """,
        "SF509": """SF509: one stream starts two pipelines.

    What: of the pipelines that are validated together, no two are started by the same stream.
    Why: a stream serves one consumer: the pipeline that reads it first takes the rows from the other.
    Instead: create a stream for each pipeline on the same table.
    """,
        "SF368": """SF368: nothing watches a pipeline whose alerts name `late` or `suspended`.

    What: a pipeline that asks for these events is watched by another one of the project: with a schedule, with the
    step `sfml_steps.alerting.watch.watch_pipelines`, and looking in its database or schema. This is checked when all
    pipelines of the project are validated together.
    Why: no run can tell that it did not come, so nobody would ever be told.
    Instead: add a watching pipeline, or silence this if one outside the project watches.
    """,
        "SF506": """SF506: not a duration.

    What: a duration is a number with a unit (s, m, h or d), or several of them: `90s`, `1h30m`.
    Why: a number alone could mean seconds or minutes.
    Instead: add the unit.
    """,
        "SF520": """SF520: a warehouse size that does not exist.

    What: `sizes` names a size from XSMALL to X6LARGE; generation 2 ends at X4LARGE.
    Why: the cost of a warehouse is computed from its size.
    Instead: write the size that SHOW WAREHOUSES returns.
    """,
        "SF521": """SF521: an instance family without a rate.

    What: `sizes` names an instance family whose credits per hour are in the table of rates that comes with sfml.
    Why: the cost of such a pool, and of the pipelines that run on it, is unknown.
    Instead: correct the name; for a family newer than the table, silence the warning.
    """,
        "SF522": """SF522: a range whose first number is larger than its second.

    What: `10m..20m`, `1..4` and `20..200 a day` name the smaller number first.
    Why: such a range is empty.
    Instead: turn it around.
    """,
        "SF523": """SF523: a compute pool without nodes.

    What: `nodes` is the number of nodes of a pool while it runs: at least one.
    Why: Snowflake refuses MIN_NODES = 0; a pool without work is suspended, and then costs nothing.
    Instead: write `1`, or `1..4`.
    """,
        "SF524": """SF524: the size of a warehouse or pool that no pipeline uses.

    What: `sizes` of a target names warehouses and compute pools that some pipeline runs on there.
    Why: the name is probably misspelt, and then the cost of the warehouse that was meant is unknown.
    Instead: correct the name, or remove the entry.
    """,
        "SF526": """SF526: a pipeline costs more than its budget.

    What: the least that `sfml cost` computes for the pipeline alone is at most its `budget`.
    Why: the budget is what was agreed on.
    Instead: run it less often, on smaller warehouses or pools, or raise the budget.
    """,
        "SF527": """SF527: a pipeline may cost more than its budget.

    What: the most that `sfml cost` computes for the pipeline alone is at most its `budget`.
    Why: in an expensive month the budget is exceeded.
    Instead: narrow what is expected, make the pipeline cheaper, or raise the budget.
    """,
        "SF528": """SF528: it is unknown whether a pipeline stays within its budget.

    What: with a `budget`, durations, sizes and runs are known, so that the cost has an upper end.
    Why: a budget that cannot be checked protects nobody.
    Instead: add what `sfml cost` lists as unknown.
    """,
        "SF530": """SF530: a policy that is written wrongly.

    What: a policy has a code of its own, a field that there is, a condition that goes with the field, and a severity
    for targets and modes that there are; in Python it is a function with `@policy` and literals as arguments.
    Why: a policy that is not understood demands nothing.
    Instead: correct it; docs/policies.md lists fields and conditions.
    """,
        "SF531": """SF531: two policies with one code.

    What: a code belongs to one policy, of the project or of a preset.
    Why: silencings and severities name policies by their codes.
    Instead: give one of them another code.
    """,
        "SF532": """SF532: a code that no policy has.

    What: `policies.severity` of the project file, and tests of policies, name policies that there are.
    Why: the setting would have no effect.
    Instead: correct the code; `sfml policies list` lists them.
    """,
        "SF533": """SF533: policies in Python that are not applied.

    What: policies in Python run if the project file says `python: true`, and their code is trusted: by
    `sfml policies trust` on this machine, or because the command names the commit that they are taken from.
    Why: whoever changes a project, in a pull request too, could run code on the machine that checks it.
    Instead: read them and trust them, or name a trusted commit with `--policies`.
    """,
        "SF534": """SF534: a policy that fails.

    What: a policy in Python ends in time, raises nothing, and returns findings or nothing.
    Why: what it demands could not be checked.
    Instead: correct it, and write a test for it.
    """,
        "SF535": """SF535: a policy that prints.

    What: a policy in Python says what it has to say in its findings.
    Why: what it prints would destroy the output of the command, so it is kept from it.
    Instead: remove the `print`.
    """,
        "SF536": """SF536: policies in Python that ran with the network.

    What: their process is cut off from the network where the system can: on Linux by seccomp or a namespace.
    Why: a policy that asks a service gives another answer each time.
    Instead: check them on Linux, or accept it.
    """,
        "SF537": """SF537: policies that nothing reads.

    What: a folder `policies` with policies belongs to a project whose `sfml.yaml` has the key `policies`.
    Why: they demand nothing.
    Instead: add `policies: {}`.
    """,
        "SF704": """SF704: a time of a test that cannot be read.

    What: a time is written like `2026-11-29T00:00Z`, with any offset. Without an offset it is a time in `timezone`,
    which is a region such as `Europe/Berlin`.
    Why: it would be unclear which runs are meant.
    Instead: write date and time, and `from` before `until`.
    """,
        "SF710": """SF710: a test of the graph fails.

    What: `sfml test` simulates a run, or the runs of a schedule, by Snowflake's rules, and compares the result with
    what the test expects.
    Why: the graph does not behave as its authors said it should.
    Instead: correct the graph, or the test if the new behaviour is meant; `sfml simulate` shows every way through it.
    """,
        "SF711": """SF711: a test of the graph cannot be decided.

    What: a test gives the outcomes of branches, and the values that conditions read, where the result depends on them.
    Why: a guessed value would prove nothing.
    Instead: give the outcome, `returns`, `when` or `streams` that the message names; or run the real steps with
    `sfml test --local`.
    """,
    }
)
