"""Verbs of messages: posting, editing, deleting, reading, typing."""
