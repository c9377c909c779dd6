"""Chats, their members, and the list of them."""
