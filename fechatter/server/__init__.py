"""fechatter_server: the HTTP API and the web client's files."""
