"""The format of a reader's folder and the windows it reads: shared by training and serving.

Training imports this on machines without the program's other libraries, so it imports nothing.
"""

# The version written to and expected in ABOUT.
FORMAT_VERSION = 1
ABOUT = "reader.json"
WEIGHTS = "reader.safetensors"
# The tensor that is left out of WEIGHTS and read from the encoder.
WORD_EMBEDDINGS = "bert.embeddings.word_embeddings.weight"
# The longest window in tokens, question and special tokens included.
MAX_LENGTH = 384
# The passage tokens that neighbouring windows share.
STRIDE = 128
