"""Bytes, an address or a text in; a Document out."""
