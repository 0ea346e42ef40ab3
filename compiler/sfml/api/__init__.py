"""The Python interface, `import sfml`: what the commands do, for notebooks, tests and programs.

Nothing here prints, asks or ends the process. What goes wrong is raised as a subclass of `sfml.SfmlError`, whose
`help` says what to do next. Values are those of the JSON outputs, as objects with `to_dict()`.
"""
