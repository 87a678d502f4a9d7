"""Markdown with its front matter, read into blocks."""
