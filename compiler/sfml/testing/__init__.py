"""What users' own tests are written with: the objects behind the fixtures of `sfml.pytest_plugin`."""
