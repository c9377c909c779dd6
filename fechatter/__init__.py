"""Fechatter: team chat that a group can own."""

__version__ = "0.1.0"
