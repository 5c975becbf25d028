"""Resolve the requirements again: `make lock`. Hashes for every file, no index addresses."""

import shutil
import subprocess

from tools import errors
from tools.errors import CannotGoOn
from tools.paths import ROOT, VENV

PYTHON = "3.11"  # the oldest that is supported: what resolves here installs on newer ones
COMPILE = ["--generate-hashes", "--no-emit-index-url", "--no-header", "--python-version", PYTHON]


def main() -> int:
    """Write the requirements*.lock and package-lock.json."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(VENV / "bin"))
    if uv is None:
        raise CannotGoOn(f"uv is missing: {VENV}/bin/python -m pip install uv, and run again.")
    _compile(uv, "pyproject.toml", "requirements.lock")
    _compile(
        uv, "pyproject.toml", "requirements-dev.lock", "--extra", "dev", "-c", "requirements.lock"
    )
    _compile(uv, "requirements-node.in", "requirements-node.lock")
    _compile(uv, "requirements-peers.in", "requirements-peers.lock")
    _compile(uv, "requirements-instances.in", "requirements-instances.lock", "--no-deps")
    npm = shutil.which("npm") or shutil.which("npm", path=str(VENV / "bin"))
    if npm is None:
        raise CannotGoOn("npm is missing, so package-lock.json stays as it is: install Node.js.")
    _run([npm, "install", "--package-lock-only"])
    return 0


def _compile(uv: str, source: str, lock: str, *options: str) -> None:
    _run([uv, "pip", "compile", source, *COMPILE, *options, "--quiet", "-o", lock])


def _run(command: list[str]) -> None:
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise CannotGoOn(f"`{' '.join(command[:4])} ...` failed: read the lines above.")


if __name__ == "__main__":
    errors.run_main(main)
