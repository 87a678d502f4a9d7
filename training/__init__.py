"""How the fitted numbers and weights of the program were made."""
