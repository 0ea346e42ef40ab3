"""The Python interface, `import sfml`: what the commands do, for notebooks, tests and programs.

Nothing here prints, prompts or exits. Errors are raised as subclasses of `sfml.SfmlError`; its `help` says what to do
next. Results are objects with the values of the JSON outputs, which `to_dict()` returns.
"""
