"""From a document to passages with their context."""
