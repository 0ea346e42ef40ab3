"""Warehouses and compute pools."""
