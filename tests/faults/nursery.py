"""Processes of Millstream that start at once: forked off one that has loaded everything already.

    python -m tests.faults.nursery

Loading Django and the solver takes seconds of two cores, and the faults start a hundred processes.
What a child becomes is what ``python -m celery`` or ``python manage.py`` would have been, with the
settings of the nursery's environment. Each line of the input asks for one, as JSON: ``command``
(words after ``python``), ``environment``, ``log`` and ``exit`` (files); the answer is its number.
Its exit code is written to ``exit`` once it has ended: negative where a signal ended it.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

_POLL_SECONDS = 0.01
# Read by gunicorn when it starts, by no setting.
_LATE = {"PORT", "HOST"}
_nurseries: dict[frozenset[tuple[str, str]], subprocess.Popen[str]] = {}


class Born:
    """A child of a nursery, with what these tests need of ``subprocess.Popen``."""

    def __init__(
        self, command: list[str], *, environment: dict[str, str], log: Path, folder: Path
    ) -> None:
        self._exit = folder / f"{uuid.uuid4().hex[:8]}.exit"
        nursery = _nursery(environment)
        wish = {"command": command, "log": str(log), "exit": str(self._exit)}
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(json.dumps({**wish, "environment": environment}) + "\n")
        nursery.stdin.flush()
        self.pid = int(nursery.stdout.readline())

    def poll(self) -> int | None:
        """The exit code; None as long as it runs."""
        try:
            said = self._exit.read_text()
        except FileNotFoundError:
            return None
        return int(said) if said.endswith("\n") else None

    def wait(self, seconds: float = 30) -> int:
        """The exit code, once it has ended; raises ``subprocess.TimeoutExpired``."""
        deadline = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), seconds)
            time.sleep(_POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing, if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL it."""
        self.send_signal(signal.SIGKILL)


def _nursery(environment: dict[str, str]) -> subprocess.Popen[str]:
    """The nursery with these settings; they live as long as the process that tests."""
    key = frozenset(item for item in environment.items() if item[0] not in _LATE)
    if key not in _nurseries:
        _nurseries[key] = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
    return _nurseries[key]


def close() -> None:
    """End the nurseries; their children have ended before."""
    for nursery in _nurseries.values():
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.close()
        nursery.wait(30)
        nursery.stdout.close()
    _nurseries.clear()


def main() -> None:
    """Load what every process of Millstream loads, then bear who is asked for."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connections

    import config.celery
    import config.urls  # noqa: F401

    assert not any(each.connection for each in connections.all()), "a connection cannot be shared"
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Who minds a child ends unseen.
    for line in sys.stdin:
        if os.fork() == 0:
            _mind(json.loads(line))


def _mind(wish: dict[str, Any]) -> None:
    """Bear the child, tell its number, and write down how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        _become(wish)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    Path(wish["exit"]).write_text(f"{os.waitstatus_to_exitcode(status)}\n")
    os._exit(0)


def _become(wish: dict[str, Any]) -> None:
    """Be the command, with its environment and its log."""
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(wish["log"], os.O_WRONLY | os.O_APPEND)
    for number, taken in ((0, nothing), (1, log), (2, log)):
        os.dup2(taken, number)
    os.environ.clear()
    os.environ.update(wish["environment"])
    first, *rest = wish["command"]
    code = 1
    try:
        if first == "-m":
            sys.argv = rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = wish["command"]
            runpy.run_path(first, run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
