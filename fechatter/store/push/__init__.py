"""Web Push: keys, devices, choices, and what waits to be sent."""
