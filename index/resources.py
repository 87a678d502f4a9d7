"""Find data folders outside of packages: the reader's weights and the sample article."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).parent.parent
# The folder of an installed package that pyproject.toml puts them in.
_INSTALLED = _ROOT / "ask_the_article" / "data"


def resource(folder: str) -> Path:
    """Return a data folder by its path in the repository, such as "models/reader".

    In an installed package only the last part of the path is used. That folder is tried first, since
    folders beside an installed package belong to other projects.
    """
    installed = _INSTALLED / Path(folder).name
    return installed if installed.is_dir() else _ROOT / folder
