"""Loading a history from elsewhere: people, rooms, messages."""
