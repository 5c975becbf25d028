"""Compile every translation (.po) to what gettext loads (.mo), without GNU gettext.

    python -m tools.compile_messages [--check]

The .mo files are build products and not committed. `--check` also fails on a message that is
not translated or marked fuzzy.
"""

import sys
from pathlib import Path

import polib

from tools import errors
from tools.errors import CannotGoOn
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


def incomplete(po: Path) -> list[str]:
    """The messages of `po` that are not translated or fuzzy, as `file:line: message`."""
    catalogue = polib.pofile(str(po), encoding="utf-8")
    entries = [*catalogue.untranslated_entries(), *catalogue.fuzzy_entries()]
    return [f"{po.relative_to(ROOT)}:{entry.linenum}: {entry.msgid}" for entry in entries]


def main() -> int:
    """Run the command line."""
    missing: list[str] = []
    for po in catalogues():
        compile_catalogue(po)
        # The source texts are English: an empty English entry means "as it stands".
        if "/en/" not in po.as_posix():
            missing += incomplete(po)
    if "--check" in sys.argv[1:] and missing:
        print("\n".join(missing))
        raise CannotGoOn(
            f"{len(missing)} messages are not translated: fill them in, `make messages`."
        )
    return 0


if __name__ == "__main__":
    errors.run_main(main)
