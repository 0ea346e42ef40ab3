"""Alerts about runs: what the finalizer and the watching task of a pipeline tell through notification integrations.

`report` is called around the finalizer of a pipeline with `alerts`, `watch` by its watching task. Neither raises: what
cannot be told is logged. These modules travel only with the tasks that send alerts.
"""
