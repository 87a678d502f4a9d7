"""The data folders that are not inside a package: the reader's weights and the sample article."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).parent.parent
# Where pyproject.toml puts these folders in the wheel.
_INSTALLED = _ROOT / "ask_the_article" / "data"


def resource(folder: str) -> Path:
    """A data folder by its path in the repository, for example "models/reader".

    An installed package has it under its last name. That is looked for first, since folders beside
    an installed package belong to other projects.
    """
    installed = _INSTALLED / Path(folder).name
    return installed if installed.is_dir() else _ROOT / folder
