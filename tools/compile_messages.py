"""Compile every translation (.po) to what gettext loads (.mo), without GNU gettext.

    python -m tools.compile_messages

The .mo files are build products and not committed.
"""

from pathlib import Path

import polib

from tools import errors
from tools.paths import ROOT


def catalogues(root: Path = ROOT) -> list[Path]:
    """Every .po file of the project and of its apps."""
    return sorted(
        [*root.glob("locale/*/LC_MESSAGES/*.po"), *root.glob("*/locale/*/LC_MESSAGES/*.po")]
    )


def compile_catalogue(po: Path) -> Path:
    """Write the .mo beside `po` if it is older, and return its path."""
    mo = po.with_suffix(".mo")
    if not mo.exists() or mo.stat().st_mtime_ns < po.stat().st_mtime_ns:
        unfinished = mo.with_suffix(".mo.tmp")
        polib.pofile(str(po), encoding="utf-8").save_as_mofile(str(unfinished))
        unfinished.replace(mo)  # at once: another process may be reading it
    return mo


def main() -> int:
    """Compile what is not compiled yet."""
    for po in catalogues():
        compile_catalogue(po)
    return 0


if __name__ == "__main__":
    errors.run_main(main)
