"""notify_server: holds the clients' connections and pushes events.

edge (HTTP, SSE, WebSocket) → session (decides) ← hub (who hears which stream) ← sequencer (reads the log)
"""
