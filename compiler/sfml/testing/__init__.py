"""The objects behind the fixtures of `sfml.pytest_plugin`, for users' own tests."""
