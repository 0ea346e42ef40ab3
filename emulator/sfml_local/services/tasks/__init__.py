"""Tasks and task graphs: definitions, runs and history."""
