"""Search by Meilisearch: what it holds, how it is asked, kept up and checked."""
