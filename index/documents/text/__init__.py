"""Plain text, read into blocks by its line ends, indents and markers."""
