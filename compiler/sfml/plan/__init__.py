"""What is deployed, what should be, and what lies between: pure values and functions."""
