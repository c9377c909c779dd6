"""The only SQL of the program. Functions take a connection (or a pool) first and never open a transaction."""
