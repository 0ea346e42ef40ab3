"""Tables, views and sequences as objects: shown, described, written back; their keys and properties."""
