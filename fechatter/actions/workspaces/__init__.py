"""Verbs of workspaces: members, roles, invites, suspension."""
