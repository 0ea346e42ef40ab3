"""LightGBM on all nodes of a job."""

from .lightgbm_estimator import LightGBMEstimator, LightGBMScalingConfig

__all__ = ["LightGBMEstimator", "LightGBMScalingConfig"]
