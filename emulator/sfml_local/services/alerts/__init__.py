"""Alerts: queries that run by schedule, with a statement that follows when they have rows."""
