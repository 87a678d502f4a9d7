"""The long tests, which pytest does not collect: python -m tests.torture."""
