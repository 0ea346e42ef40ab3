"""Being here puts this folder on the path, so that every test below can import `made_graphs`."""
