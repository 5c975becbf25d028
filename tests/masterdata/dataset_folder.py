"""Where the AdventureWorks folder is: a path from the environment, else beside the checkout."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def adventureworks() -> Path:
    """The folder; skips in one sentence where it is missing, fails where CI must have it."""
    path = Path(os.environ.get("MILLSTREAM_DATA") or ROOT.parent / "shared" / "data")
    folder = path if (path / "items.csv").is_file() else path / "adventureworks"
    if folder.is_dir():
        return folder
    sentence = f"The AdventureWorks folder is not at {folder}; set MILLSTREAM_DATA to its place."
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)
