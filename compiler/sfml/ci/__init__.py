"""The review of a change where it is proposed: what the GitHub Action and the GitLab job run, on Python alone.

`python -I -m sfml.ci` runs `sfml validate` and `sfml diff` on a clone, and posts what they print. The isolated mode
matters: the current folder is the code under review, and no module of it may be taken for one of ours.
"""
