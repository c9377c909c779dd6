"""Verbs of people: signing up, in and out, passwords, profile, presence."""
