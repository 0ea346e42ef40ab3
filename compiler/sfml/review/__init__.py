"""Reviews: two states of a repository are compiled and compared, without an account and without a checkout."""
