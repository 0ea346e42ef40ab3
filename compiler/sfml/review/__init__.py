"""What a change means: two states of a repository, compiled and compared, without an account and without a checkout."""
