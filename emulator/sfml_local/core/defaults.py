"""The default database and schema of a server's clients."""

from __future__ import annotations

DATABASE, SCHEMA = "SFML", "PUBLIC"
