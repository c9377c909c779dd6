"""Workspaces, who is in them, and invites."""
