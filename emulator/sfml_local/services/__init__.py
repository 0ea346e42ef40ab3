"""The services of an account, one folder for each; `registry` lists them."""
