"""Messages: posting, reading, changing, receipts, loading a history."""
