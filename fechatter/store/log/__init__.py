"""The event log: written by actions, read by realtime and by consumers."""
