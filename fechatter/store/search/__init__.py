"""The built-in search in the database, and what is read for any search."""
