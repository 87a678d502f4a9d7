"""How a file is refused."""

import pytest

from index.documents.formats import extract
from index.errors import DocumentError


def refusal(data: bytes, name: str) -> str:
    """The sentence that refuses a file: one that names it and says what to do."""
    with pytest.raises(DocumentError) as refused:
        extract(data, name)
    sentence = str(refused.value)
    assert sentence.startswith(f"'{name}' ") and sentence.endswith(".") and ": " in sentence
    assert "\n" not in sentence and "Error" not in sentence
    return sentence
