"""Custom models that tests log. The client reads the annotations of their methods, which must not be texts."""

import os

import pandas as pd
from snowflake.ml.model import custom_model


class Echo(custom_model.CustomModel):
    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        echoed = {f"O_{name}": input_df[name] for name in input_df}
        kinds = ",".join(str(input_df[name].dtype) for name in input_df)
        return pd.DataFrame(
            {**echoed, "KINDS": [kinds] * len(input_df), "ROWS": [len(input_df)] * len(input_df)}
        )


class Shifted(custom_model.CustomModel):
    """Adds a number; its second method has the name of a function of SQL."""

    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"Y": input_df["X"] + 1})

    @custom_model.inference_api
    def transform(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"Z": input_df["X"] * 2})


class Tenfold(Shifted):
    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"Y": input_df["X"] * 10})


class Totals(custom_model.CustomModel):
    @custom_model.partitioned_api
    def total(self, input_df: pd.DataFrame) -> pd.DataFrame:
        if (input_df["SOLD"] < 0).any():
            raise ValueError("sold less than nothing")
        return pd.DataFrame(
            {"N": [len(input_df)], "TOTAL": [input_df["SOLD"].sum()], "WEEKS": [list(input_df["WEEK"])]}
        )


class ByRow(custom_model.CustomModel):
    @custom_model.inference_api
    def double(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"TWICE": input_df["WEEK"] * 2})


class Process(custom_model.CustomModel):
    """Tells its process; negative numbers end it."""

    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        if (input_df["X"] < 0).any():
            os._exit(3)
        return pd.DataFrame({"PID": [os.getpid()] * len(input_df)})

    @custom_model.inference_api
    def again(self, input_df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"PID": [os.getpid()] * len(input_df)})


class Own(custom_model.CustomModel):
    """Imports code of its own that has the name of a library."""

    @custom_model.inference_api
    def predict(self, input_df: pd.DataFrame) -> pd.DataFrame:
        import lightgbm

        return pd.DataFrame({"WORD": [lightgbm.WORD] * len(input_df)})
