"""What people do: one verb a file, one transaction each. Only actions append to the event log."""
