"""The language server: what the command line knows about specs, while one types."""
