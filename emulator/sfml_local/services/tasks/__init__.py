"""Tasks and task graphs: kept, run, and their history."""
