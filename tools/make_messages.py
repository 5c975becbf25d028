"""Collect the texts to translate into locale/ and compile the translations: `make messages`."""

import os
import shutil
import subprocess
import sys

from tools import compile_messages, errors
from tools.errors import CannotGoOn
from tools.paths import ROOT

LANGUAGES = ["zh_Hans"]
IGNORED = [".venv/*", "node_modules/*", "var/*", "tests/*", "tools/*"]


def main() -> int:
    """Run Django's makemessages for templates and Python, then for the scripts of static/."""
    if not (shutil.which("xgettext") and shutil.which("msgmerge")):
        raise CannotGoOn(
            "Collecting texts needs GNU gettext: install it (on Debian: apt-get install gettext) "
            "and run again; compiling alone is `python -m tools.compile_messages`."
        )
    for domain in (["django"], ["djangojs"]):
        command = [sys.executable, "manage.py", "makemessages", "--domain", *domain, "--no-wrap"]
        command += ["--no-obsolete", "--add-location", "file"]
        command += [part for name in LANGUAGES for part in ("--locale", name)]
        command += [part for name in IGNORED for part in ("--ignore", name)]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "DEMO_MODE": "1"}, check=True)
    return compile_messages.main()


if __name__ == "__main__":
    errors.run_main(main)
