"""sfml: reviewed YAML compiled into Snowflake task graphs for machine learning."""

__version__ = "0.1.0"

__all__ = ["__version__"]
