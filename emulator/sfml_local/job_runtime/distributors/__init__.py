"""`snowflake.ml.modeling.distributors`: estimators that train on all nodes of a job's Ray cluster.

https://docs.snowflake.com/en/developer-guide/snowflake-ml/container-runtime-ml
"""
