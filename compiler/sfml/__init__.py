"""sfml: reviewed YAML compiled into Snowflake task graphs for machine learning."""

__version__ = "0.2.0"

__distribution__ = "sfml-snowflake"
"""What pip knows this package by. The distribution `sfml` is another project's, with a package of that name."""

__all__ = ["__distribution__", "__version__"]
