"""The review of a pull or merge request: the program of the GitHub Action and the GitLab job.

`python -I -m sfml.ci` runs `sfml validate` and `sfml diff` on a clone, and posts their output as a comment. Isolated
mode (`-I`) is necessary: the current folder holds the code under review, whose modules must not be imported.
"""
