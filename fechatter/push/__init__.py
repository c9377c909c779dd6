"""Web Push: from the event log to people's devices, while no page is open."""
