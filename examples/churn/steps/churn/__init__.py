"""The steps of the churn pipeline."""
