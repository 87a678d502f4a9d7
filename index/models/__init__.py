"""The encoder, and the network and tokenizer behind it."""
