"""The routes, one file a noun. `ROUTES` is what the app serves under /api, and what the checks walk through."""
