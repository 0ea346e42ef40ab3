"""Custom models: artifacts and models in their context, code of one's own, several methods, and partitioned ones.

As https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/bring-your-own-model-types and
/partitioned-models write them.
"""

import json
import sys
import tempfile
from pathlib import Path

import pandas as pd
from sklearn.linear_model import LinearRegression
from snowflake.ml.model import custom_model
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session


class Biased(custom_model.CustomModel):
    def __init__(self, context: custom_model.ModelContext) -> None:
        super().__init__(context)
        self.bias = json.loads(Path(self.context["bias"]).read_text())["bias"]

    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        from shop.prices import rounded

        raw = self.context["regression"].predict(input_df[["X"]]) + self.bias
        return pd.DataFrame({"PREDICTION": rounded(raw)})

    @custom_model.inference_api
    def decode(self, input_df: pd.DataFrame, *, prefix: str = "n") -> pd.DataFrame:
        return pd.DataFrame({"TEXT": [f"{prefix}{value}" for value in input_df["X"]]})


class Forecast(custom_model.CustomModel):
    @custom_model.partitioned_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        fitted = LinearRegression().fit(input_df[["WEEK"]], input_df["SALES"])
        following = pd.DataFrame({"WEEK": [input_df["WEEK"].max() + 1]})
        return pd.DataFrame({"NEXT_WEEK": following["WEEK"], "FORECAST": fitted.predict(following).round(3)})


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    reg = Registry(session=session, database_name="SFML", schema_name="PUBLIC")
    told = {}

    folder = Path(tempfile.mkdtemp())
    (folder / "bias.json").write_text('{"bias": 100}')
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "prices.py").write_text("def rounded(values):\n    return values.round(2)\n")
    sys.path.insert(0, str(folder))
    inputs = pd.DataFrame({"X": [1.0, 2.0, 3.0]})
    regression = LinearRegression().fit(inputs, [2.0, 4.0, 6.0])
    biased = Biased(custom_model.ModelContext(bias=str(folder / "bias.json"), regression=regression))
    mv = reg.log_model(
        biased,
        model_name="biased",
        version_name="v1",
        sample_input_data=inputs,
        code_paths=[str(folder / "shop")],
        target_platforms=["WAREHOUSE"],
    )
    told["methods"] = sorted(function["name"] for function in mv.show_functions())
    told["predicted"] = mv.run(inputs, function_name="predict")["PREDICTION"].tolist()
    told["decoded"] = mv.run(inputs, function_name="decode", params={"prefix": "x"})["TEXT"].tolist()
    told["by_default"] = mv.run(inputs, function_name="decode")["TEXT"].tolist()

    sales = pd.DataFrame(
        {"STORE": ["a", "b"] * 4, "WEEK": [1, 1, 2, 2, 3, 3, 4, 4], "SALES": [1.0, 9, 2, 8, 3, 7, 4, 6]}
    )
    frame = session.create_dataframe(sales)
    frame.write.save_as_table("SALES", mode="overwrite")
    mv = reg.log_model(
        Forecast(),
        model_name="forecast",
        version_name="v1",
        sample_input_data=sales[["WEEK", "SALES"]],
        options={"function_type": "TABLE_FUNCTION"},
        target_platforms=["WAREHOUSE"],
    )
    run = mv.run(frame, function_name="predict", partition_column="STORE").to_pandas()
    told["partitions"] = run.sort_values("STORE")[["STORE", "NEXT_WEEK", "FORECAST"]].values.tolist()
    rows = session.sql(
        "WITH mv AS MODEL forecast VERSION v1 SELECT s.store, f.next_week, f.forecast"
        " FROM sales AS s, TABLE(mv!predict(s.week, s.sales) OVER (PARTITION BY s.store)) AS f ORDER BY s.store"
    ).collect()
    told["in_sql"] = [list(row) for row in rows]
    session.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
