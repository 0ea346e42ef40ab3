"""Plans: the observed graph, the desired graph, and the changes between them; pure values and functions."""
