"""What an account offers, one folder a service; `registry` lists them."""
