"""Search: one interface, the built-in search in PostgreSQL, Meilisearch, and a twin in memory for tests."""
