"""PDFs, read into blocks, tables and the boxes of their characters."""
