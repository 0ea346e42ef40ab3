"""XGBoost on all nodes of a job."""

from .xgboost_estimator import XGBEstimator, XGBScalingConfig

__all__ = ["XGBEstimator", "XGBScalingConfig"]
