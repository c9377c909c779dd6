"""Verbs of chats: creating, joining, leaving, members and their roles."""
