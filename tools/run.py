"""`make run`: the whole of Millstream on this machine, until Ctrl-C.

Starts PostgreSQL and Redis where none are given, brings database and static files up to date,
then runs the processes of the Procfile under honcho. `PORT` (8000) and `HOST` (127.0.0.1) say
where; `DEMO_MODE=0` with a `SECRET_KEY` runs without the demo factory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import honcho.manager
from honcho.compat import ProcessManager
from honcho.environ import parse_procfile

from tools import errors, interrupts
from tools.errors import CannotGoOn
from tools.paths import ROOT, VENV, VENV_PYTHON, var_dir
from tools.services import Services

# Seconds from SIGTERM to SIGKILL for web, worker and dispatcher: a worker finishes its short job.
honcho.manager.KILL_WAIT = 20
FIRST_PAGE_SECONDS = 120
ALREADY_RUNNING = (
    "Millstream runs already on the data of this checkout: use that one, or stop it first; "
    "another VAR_DIR or another checkout runs beside it."
)


def main() -> int:
    """Run until a signal or until one process ends; nothing is left behind."""
    started_at = time.monotonic()
    interrupts.as_keyboard_interrupt()
    host, port = os.environ.get("HOST") or "127.0.0.1", _port()
    _check_port_is_free(host, port)
    try:
        services = Services(var_dir())
        with services.alone(ALREADY_RUNNING), services.borrowed() as databases:
            environment = _environment(databases, host, port)
            logins = _prepare(environment)
            shown = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
            _run_processes(environment, f"http://{shown}:{port}/", logins, started_at)
    except KeyboardInterrupt:
        pass  # that is how one stops it
    errors.notice("stopped.")
    return 0


def _port() -> int:
    given = os.environ.get("PORT") or "8000"
    if not given.isdecimal() or not 0 < int(given) < 65536:
        raise CannotGoOn(f"PORT={given} is no port: give a number from 1 to 65535.")
    return int(given)


def _check_port_is_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotGoOn(
                f"Port {port} on {host} cannot be used ({error.strerror}): stop what uses it, or "
                f"choose another, for example `PORT={port % 65000 + 1} make run`."
            ) from None


def _environment(databases: dict[str, str], host: str, port: int) -> dict[str, str]:
    environment = {
        **os.environ,
        **databases,
        "HOST": host,
        "PORT": str(port),
        "VAR_DIR": str(var_dir()),
        "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",  # a line of the log appears when it is written
    }
    environment.setdefault("DEMO_MODE", "1")
    return environment


def _prepare(environment: dict[str, str]) -> str:
    """Migrate and so on in a process of its own; return the table of logins."""
    done = subprocess.run(
        [VENV_PYTHON, "-m", "tools.prepare"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotGoOn(
            "The database or the static files could not be prepared: the reason is above. If the "
            f"data in {var_dir()} is of no use any more, `make demo-reset` starts afresh."
        )
    return done.stdout


class Leaders(ProcessManager):  # type: ignore[misc]  # honcho carries no types
    """Ends a process by asking it alone, not its whole group.

    A worker's children die of SIGTERM in the middle of their job; the worker lets them finish it.
    What is still there after KILL_WAIT seconds is killed as a group.
    """

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the process that was started."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class _Manager(honcho.manager.Manager):  # type: ignore[misc]  # the same
    def __init__(self) -> None:
        super().__init__()
        self._procmgr = Leaders()


def _run_processes(
    environment: dict[str, str], address: str, logins: str, started_at: float
) -> None:
    manager = _Manager()
    lines = (ROOT / "Procfile").read_text()
    for name, command in processes(lines, environment).items():
        manager.add_process(name, command, env=environment, cwd=str(ROOT))
    threading.Thread(
        target=_announce, args=(address, logins, started_at), name="announce", daemon=True
    ).start()
    manager.loop()  # until SIGINT, SIGTERM or the end of one process; ends the others
    if manager.returncode not in (130, 143):
        raise CannotGoOn("One process ended by itself and the others were stopped: see above why.")


def processes(lines: str, environment: dict[str, str]) -> dict[str, str]:
    """The commands of the Procfile by name; that for machines only where a broker is named."""
    found: dict[str, str] = dict(parse_procfile(lines).processes)
    if not environment.get("MQTT_URL"):
        found.pop("machines", None)
    return found


def _announce(address: str, logins: str, started_at: float) -> None:
    """Print the address and the logins as soon as the first page answers."""
    deadline = time.monotonic() + FIRST_PAGE_SECONDS
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        try:
            with browser.open(address, timeout=10):
                break
        except urllib.error.HTTPError as answer:
            if answer.code < 500:
                break
        except OSError:
            pass
        time.sleep(0.2)
    else:
        errors.notice(f"no page after {FIRST_PAGE_SECONDS} s; see the lines above.")
        return
    seconds = time.monotonic() - started_at
    print(
        f"\n{logins}\nMillstream answers at {address} ({seconds:.0f} s). Ctrl-C stops it.\n",
        flush=True,
    )


if __name__ == "__main__":
    errors.run_main(main)
