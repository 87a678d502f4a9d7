"""Evaluate answers: metrics, the SQuAD format, and runs over whole files."""
