"""Uploaded files: what they are, where their bytes are kept, their thumbnails, and getting rid of them."""
