"""The web page: layout, event handlers, sessions, rendering, API and security."""
