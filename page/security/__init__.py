"""Checks on every request before it reaches Gradio: host, origin, login, route, size, session."""
