"""Notifications, kept in an outbox."""
