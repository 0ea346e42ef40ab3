"""A month of all pipelines of a target, simulated: contention, runs missed, delayed or cut off, and quiet hours."""
