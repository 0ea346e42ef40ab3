"""Where clients of a server begin that was not told another place."""

from __future__ import annotations

DATABASE, SCHEMA = "SFML", "PUBLIC"
