"""Roles, grants, and objects that graphs name but do not create."""
