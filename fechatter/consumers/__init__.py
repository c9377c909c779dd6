"""What follows the event log on its own account: the search index, Web Push. Nothing is skipped, whoever dies."""
