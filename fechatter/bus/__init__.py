"""What tells a notify server that there is news. Hints only: a lost hint costs latency, the event log is the truth."""
