"""Reading a chat history from a file: lines.py, ordering.py."""
