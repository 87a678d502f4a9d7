"""Rank the passages of documents for a query."""
