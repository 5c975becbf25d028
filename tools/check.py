"""`make check`: everything that needs no test run. All checks run; the end says which failed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tools import errors
from tools.errors import CannotGoOn
from tools.paths import ROOT, VENV

PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DEMO_MODE": "0",
    "SECRET_KEY": "checked-with-a-key-that-is-long-enough-and-used-nowhere-else-0123456789",
    "ALLOWED_HOSTS": "millstream.example",
    "CSRF_TRUSTED_ORIGINS": "https://millstream.example",
    "BEHIND_TLS": "1",
}
MANAGE = [sys.executable, "manage.py"]
COMMANDS: dict[str, list[str]] = {
    "lint": [sys.executable, "-m", "ruff", "check", "."],
    "format": [sys.executable, "-m", "ruff", "format", "--check", "."],
    "types": [sys.executable, "-m", "mypy", "--explicit-package-bases", "."],
    "architecture": [str(VENV / "bin" / "lint-imports")],
    "migrations": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "settings": [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
    "translations": [sys.executable, "-m", "tools.messages", "--check"],
}
# What a lock file says where it was resolved against an index or a mirror. Funding links are not.
ADDRESS = re.compile(
    r'"resolved"|--(?:extra-)?index-url|--find-links|@ (?:https?|file):|^https?:', re.MULTILINE
)
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-node.lock",
    "requirements-peers.lock",
    "requirements-instances.lock",
    "package-lock.json",
)


def lock_addresses(root: Path = ROOT) -> list[str]:
    """Each place in a lock file that names an address to download from, as `file:line`."""
    return [
        f"{name}:{text.count(chr(10), 0, found.start()) + 1}"
        for name in LOCKS
        for text in [(root / name).read_text()]
        for found in ADDRESS.finditer(text)
    ]


def main() -> int:
    """Run every check and raise CannotGoOn with the names of those that failed."""
    failed = []
    for name, command in COMMANDS.items():
        started_at = time.monotonic()
        code = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **PRODUCTION}, check=False
        ).returncode
        verdict = "ok" if code == 0 else "FAILED"
        print(f"{name:14}{verdict:8}{time.monotonic() - started_at:5.1f} s", flush=True)
        if code != 0:
            failed.append(name)
    if addresses := lock_addresses():
        print(f"{'locks':14}FAILED  addresses at {', '.join(addresses)}")
        failed.append("locks")
    if failed:
        raise CannotGoOn(f"make check found faults in: {', '.join(failed)}; see above.")
    return 0


if __name__ == "__main__":
    errors.run_main(main)
