"""Read documents, and rank their passages for a query."""
