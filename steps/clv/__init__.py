"""The steps of our own pipeline: customer lifetime value from purchases."""
