"""Search many documents in one index on disk or on a server."""
