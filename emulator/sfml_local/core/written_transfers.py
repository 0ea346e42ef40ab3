"""The mark of a PUT or GET that the code of a procedure has written, beside those that its libraries send.

Snowpark's `file.put` sends a PUT, too, which an account takes in another way. This module is imported in processes of
procedures, and imports nothing.
"""

WRITTEN = "/* written in a procedure */ "
"""In front of a statement that `Session.sql` gets in a process of a procedure."""
