"""Where things lie in this checkout. All local data is under `var/` (or `VAR_DIR`)."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
MACHINE_CODE = ROOT / "var" / "numba"  # the solver's, of this checkout whatever its data


def var_dir() -> Path:
    """The directory of all local data: `VAR_DIR` if given (tests give one), else `var/`."""
    return Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
