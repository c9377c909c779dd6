"""Users, their sessions, tickets and presence; what limits and suspends them."""
