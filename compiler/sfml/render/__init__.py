"""Values as text, JSON and pictures; nothing here writes to a stream."""
