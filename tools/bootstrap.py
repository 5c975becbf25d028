"""Install what the lock files name, inside the checkout: `.venv/` and `node_modules/`.

    python3 -m tools.bootstrap [--dev]

Standard library only: this runs before the virtual environment exists. What is installed already
is left alone: a stamp holds the hash of the locks it was installed from.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools import errors
from tools.errors import CannotGoOn
from tools.paths import MACHINE_CODE, NODE_MODULES, ROOT, VENV, VENV_PYTHON, var_dir

OLDEST_PYTHON = (3, 11)
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
NODE_LOCK = ROOT / "requirements-node.lock"


def main() -> int:
    """Bring `.venv/`, `node_modules/`, the solver and the translations up to date."""
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(str(part) for part in OLDEST_PYTHON)
        raise CannotGoOn(
            f"Python {wanted} or newer is needed and this is {sys.version.split()[0]}: "
            f"install it, or name it with `make PYTHON=/path/to/python{wanted} ...`."
        )
    var = var_dir()
    var.mkdir(parents=True, exist_ok=True)
    with (var / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install_python_packages(dev="--dev" in sys.argv[1:])
        _install_node_packages()
        _compile_solver()
    _run([VENV_PYTHON, "-m", "tools.compile_messages"], "The translations could not be compiled")
    return 0


def _install_python_packages(*, dev: bool) -> None:
    lock = DEV_LOCK if dev else RUNTIME_LOCK
    if _venv_works() and _is_stamped(lock):
        return
    _make_venv()
    errors.notice(f"installing Python packages ({lock.name}) ...")
    _run(_installer(lock), f"The packages of {lock.name} could not be installed")
    _stamp(lock)
    if dev:
        _stamp(RUNTIME_LOCK)  # the development lock contains it


def _venv_works() -> bool:
    """False where it is missing, or its Python or its checkout has moved."""
    try:
        done = subprocess.run(
            [str(VENV_PYTHON), "-c", "import sys; print(sys.prefix)"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0 and Path(done.stdout.strip()).resolve() == VENV.resolve()


def _make_venv() -> None:
    if _venv_works():
        return
    if VENV.exists():
        shutil.rmtree(VENV)
    errors.notice("making .venv ...")
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise CannotGoOn(
            "This Python cannot make a virtual environment: install its venv module "
            "(on Debian: apt-get install python3-venv) and run again."
        )


def _installer(lock: Path) -> list[str | Path]:
    uv = shutil.which("uv") or shutil.which("uv", path=str(VENV / "bin"))
    if uv:
        return [
            uv,
            "pip",
            "install",
            "--quiet",
            "--python",
            VENV_PYTHON,
            "--require-hashes",
            "-r",
            lock,
        ]
    return [
        VENV_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-input", "--require-hashes", "-r", lock,
    ]  # fmt: skip


def _install_node_packages() -> None:
    wanted = _hash(ROOT / "package.json", ROOT / "package-lock.json")
    stamp = NODE_MODULES / ".millstream-stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    path = os.environ.get("PATH", "")
    if not (shutil.which("node") and shutil.which("npm")):
        path = f"{VENV / 'bin'}{os.pathsep}{path}"
        if not _is_stamped(NODE_LOCK):
            errors.notice(f"installing Node.js ({NODE_LOCK.name}) ...")
            _run(_installer(NODE_LOCK), f"The packages of {NODE_LOCK.name} could not be installed")
            _stamp(NODE_LOCK)
    errors.notice("installing the front end's packages (package-lock.json) ...")
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise CannotGoOn("npm is missing: install Node.js 20 or newer and run again.")
    _run([npm, "ci", "--silent"], "npm ci failed", {**os.environ, "PATH": path})
    stamp.write_text(wanted)


def _compile_solver() -> None:
    wanted = _hash(RUNTIME_LOCK, *sorted((ROOT / "aps" / "solver").rglob("*.py")))
    stamp = MACHINE_CODE / ".millstream-stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    errors.notice("compiling the solver, about a minute ...")
    _run([VENV_PYTHON, "-m", "tools.compile_solver"], "The solver could not be compiled")
    MACHINE_CODE.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)


def _run(command: list[str | Path], failure: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False)
    if done.returncode != 0:
        raise CannotGoOn(f"{failure}: read the lines above; if it was the network, run again.")


def _is_stamped(lock: Path) -> bool:
    stamp = VENV / f".{lock.name}.stamp"
    return stamp.exists() and stamp.read_text() == _hash(lock)


def _stamp(lock: Path) -> None:
    (VENV / f".{lock.name}.stamp").write_text(_hash(lock))


def _hash(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    errors.run_main(main)
