"""The encoder, with its network and its tokenizer."""
