"""How good the answers are: metrics, SQuAD, and runs over whole files."""
