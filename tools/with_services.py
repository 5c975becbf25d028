"""Run a command with PostgreSQL and Redis at hand.

    python -m tools.with_services COMMAND [ARGUMENT ...]

Starts what does not run yet (nothing for which DATABASE_URL or REDIS_URL is given), sets
DATABASE_URL and REDIS_URL for the command, and stops afterwards what nobody else uses.
"""

import os
import signal
import subprocess
import sys
from types import FrameType

from tools import errors, interrupts
from tools.paths import VENV, var_dir
from tools.services import Services


def main() -> int:
    """Run the command line; the exit code is the command's."""
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    interrupts.as_keyboard_interrupt()
    with Services(var_dir()).borrowed() as environment:
        process = subprocess.Popen(sys.argv[1:], env={**os.environ, "PATH": path, **environment})

        def pass_on(number: int, _frame: FrameType | None) -> None:
            process.send_signal(number)

        signal.signal(signal.SIGTERM, pass_on)
        signal.signal(signal.SIGHUP, pass_on)
        # The terminal sends Ctrl-C to the command as well; here it only has to be outlived.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return process.wait()


if __name__ == "__main__":
    errors.run_main(main)
