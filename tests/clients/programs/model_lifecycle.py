"""Models logged, looked up, described, run, promoted and deleted with the Snowflake Model Registry.

As https://docs.snowflake.com/en/developer-guide/snowflake-ml/model-registry/overview and /model-management
write them.
"""

import json
import tempfile
from pathlib import Path

import lightgbm
import pandas as pd
import snowflake.snowpark.functions as F
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from snowflake.ml.model import ExportMode, model_signature
from snowflake.ml.registry import Registry
from snowflake.snowpark import Session


def main() -> None:
    session = Session.builder.config("connection_name", "local").create()
    session.sql("CREATE SCHEMA IF NOT EXISTS SFML.PRODUCTION").collect()
    session.use_schema("PUBLIC")
    session.sql("CREATE TAG IF NOT EXISTS SFML.PUBLIC.LIVE_VERSION").collect()
    reg = Registry(session=session, database_name="SFML", schema_name="PUBLIC")

    train = pd.DataFrame({"AGE": range(40), "SPEND": [float(i % 7) for i in range(40)]})
    label = (train["AGE"] > 20).astype(int)
    frame = session.create_dataframe(train)
    frame.write.save_as_table("CUSTOMERS", mode="overwrite")
    told = {}

    clf = LogisticRegression().fit(train, label)
    mv = reg.log_model(
        clf,
        model_name="churn",
        version_name="v1",
        comment="baseline",
        metrics={"auc": 0.5, "confusion": [[1, 2], [3, 4]]},
        conda_dependencies=["scikit-learn"],
        sample_input_data=train.head(),
        target_platforms=["WAREHOUSE"],
    )
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]).fit(train, label)
    reg.log_model(
        pipeline,
        model_name="churn",
        version_name="v2",
        sample_input_data=frame,
        pip_requirements=["scikit-learn"],
        python_version="3.11",
    )
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(train, label), 3)
    reg.log_model(booster, model_name="churn", version_name="v3", sample_input_data=train.head())
    forest = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(train, label)
    reg.log_model(forest, model_name="churn", version_name="v4", sample_input_data=train.head())
    scaler = StandardScaler().fit(train)
    signature = model_signature.infer_signature(train, pd.DataFrame({"AGE_S": [0.5], "SPEND_S": [0.5]}))
    reg.log_model(scaler, model_name="scaler", version_name="v1", signatures={"transform": signature})

    m = reg.get_model("churn")
    told["versions"] = [version.version_name for version in m.versions()]
    told["ends"] = [m.default.version_name, m.first().version_name, m.last().version_name]
    told["shown"] = [sorted(reg.show_models()["name"]), sorted(m.show_versions()["name"])]
    m.comment = "who leaves"
    m.description = m.description + " and when"
    mv.comment = "the baseline"
    told["comments"] = [m.comment, mv.description]
    told["metrics"] = [mv.get_metric("auc"), mv.show_metrics()["confusion"]]
    mv.set_metric("auc", 0.75)
    mv.delete_metric("confusion")
    told["metrics"] += [mv.show_metrics()]
    m.set_tag("LIVE_VERSION", "v1")
    told["tags"] = [m.get_tag("LIVE_VERSION"), m.show_tags()]
    m.unset_tag("LIVE_VERSION")
    told["tags"] += [m.show_tags()]

    m.default = "v2"
    mv.set_alias("prod")
    told["aliases"] = [m.default.version_name, m.version("prod").version_name]
    mv.unset_alias("prod")

    wanted = clf.predict(train).tolist()
    told["run"] = [
        mv.run(train, function_name="predict")["output_feature_0"].tolist() == wanted,
        mv.run(frame, function_name="predict_proba").count(),
        m.version("v3").run(train.head(2), function_name="predict").shape[1],
        m.version("v4").run(train.head(2), function_name="predict_proba").shape[1],
        list(reg.get_model("scaler").default.run(train.head(2), function_name="transform").columns),
    ]
    model = F.model("churn", "v1")
    told["snowpark"] = (
        session.table("CUSTOMERS").select(model("predict")(F.col("AGE"), F.col("SPEND"))).count()
    )
    sqls = (
        "SELECT MODEL(churn, v1)!predict(age, spend):output_feature_0::INT AS p FROM customers",
        "SELECT churn!predict(age, spend):output_feature_0::INT AS p FROM customers",
        "WITH latest AS MODEL churn VERSION v1"
        " SELECT latest!predict(age, spend):output_feature_0::INT AS p FROM customers",
    )
    told["sql"] = [sum(row["P"] for row in session.sql(sql).collect()) == sum(wanted) for sql in sqls]

    loaded = mv.load(force=True)
    folder = tempfile.mkdtemp()
    Path(folder, "model").mkdir()
    Path(folder, "full").mkdir()
    mv.export(f"{folder}/model", export_mode=ExportMode.MODEL)
    mv.export(f"{folder}/full", export_mode=ExportMode.FULL)
    told["files"] = [
        loaded.predict(train).tolist() == wanted,
        bool(list((Path(folder) / "model").rglob("model.yaml"))),
        (Path(folder) / "full" / "functions" / "predict.py").exists(),
    ]

    production = Registry(session=session, database_name="SFML", schema_name="PRODUCTION")
    production.log_model(mv, model_name="churn", version_name="v1")
    session.sql("ALTER MODEL PRODUCTION.CHURN ADD VERSION V2 FROM MODEL PUBLIC.CHURN VERSION V2").collect()
    promoted = production.get_model("churn")
    told["promoted"] = [version.version_name for version in promoted.versions()]
    promoted.rename("SFML.PRODUCTION.CHURN_LIVE")
    promoted = production.get_model("churn_live")
    told["promoted"] += [len(promoted.default.run(train.head(3), function_name="predict"))]
    promoted.delete_version("v2")
    told["left"] = [version.version_name for version in promoted.versions()]
    production.delete_model("churn_live")
    told["gone"] = [found.name for found in production.models()]
    session.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
