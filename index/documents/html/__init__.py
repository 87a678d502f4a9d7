"""Web pages, read into blocks without what surrounds their main text."""
