"""Datasets: versions of a query's rows, from which a model is trained and logged.

As https://docs.snowflake.com/en/developer-guide/snowflake-ml/dataset writes them.
"""

import json

import pandas as pd
from sklearn.linear_model import LinearRegression
from snowflake.ml.dataset import Dataset, create_from_dataframe, load_dataset
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    told = {}
    rows = pd.DataFrame(
        {"ID": [1, 2, 3], "X": [0.5, 1.5, None], "KIND": ["a", None, "c"], "Y": [1.0, 3.0, 5.0]}
    )
    df = session.create_dataframe(rows)

    ds1 = create_from_dataframe(
        session,
        "my_dataset",
        "v1",
        input_dataframe=df,
        label_cols=["Y"],
        exclude_cols=["ID"],
        comment="first",
    )
    created = Dataset.load(session, "my_dataset").create_version("v2", df.filter("ID > 1"), shuffle=True)
    told["versions"] = created.list_versions()
    version = ds1.selected_version
    told["about"] = [version.label_cols, version.exclude_cols, version.comment]
    again = load_dataset(session, "my_dataset", "v1")
    told["pandas"] = json.loads(again.read.to_pandas().to_json(orient="values"))
    told["features"] = again.read.to_snowpark_dataframe(only_feature_cols=True).columns
    told["snowpark"] = again.read.to_snowpark_dataframe().select("Y").to_pandas()["Y"].sum()
    told["files"] = [name.rpartition("/")[2] for name in again.read.files()]
    with again.read.filesystem().open(again.read.files()[0]) as opened:
        told["begins"] = opened.read(4).decode()

    training = again.read.to_pandas().dropna(subset=["X"])
    model = LinearRegression().fit(training[["X"]], training["Y"])
    sample = again.read.to_snowpark_dataframe().select("X").dropna()
    mv = Registry(session).log_model(
        model,
        model_name="from_dataset",
        version_name="v1",
        sample_input_data=sample,
        target_platforms=["WAREHOUSE"],
    )
    told["predicted"] = mv.run(training[["X"]], function_name="predict").round(3).iloc[:, 0].tolist()

    problems = []
    for attempt in (
        lambda: created.create_version("v1", df),
        lambda: Dataset.create(session, "my_dataset"),
        lambda: Dataset.load(session, "nothing"),
        lambda: created.select_version("v9"),
    ):
        try:
            attempt()
        except Exception as error:
            problems.append(type(error).__name__)
    told["problems"] = problems
    created.delete_version("v2")
    told["left"] = created.list_versions()
    created.delete()
    told["datasets"] = [row["name"] for row in session.sql("SHOW DATASETS LIKE 'my_dataset'").collect()]
    session.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
