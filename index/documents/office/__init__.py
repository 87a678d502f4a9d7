"""Readers for the documents of office programs: Word, Excel and PowerPoint."""
