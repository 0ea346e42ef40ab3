"""Roles, grants, and objects that graphs name without making them."""
