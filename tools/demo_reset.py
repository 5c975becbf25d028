"""`make demo-reset`: throw the demo factory's data away and load it again.

Touches the embedded database only, unless `DEMO_RESET_DATABASE=yes` says that the database at
DATABASE_URL may be emptied.
"""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import redis

from tools import errors, interrupts
from tools.errors import CannotGoOn
from tools.paths import ROOT, var_dir
from tools.services import Services

RUNNING = "Millstream is running on this data: stop it first (Ctrl-C), then reset."


def main() -> int:
    """Empty the schema and Redis, migrate and load the demo factory."""
    if os.environ.get("DATABASE_URL") and os.environ.get("DEMO_RESET_DATABASE") != "yes":
        raise CannotGoOn(
            "DATABASE_URL is given and demo-reset would delete everything in that database: "
            "say so with DEMO_RESET_DATABASE=yes, or unset DATABASE_URL."
        )
    interrupts.as_keyboard_interrupt()
    services = Services(var_dir())
    with services.alone(RUNNING), services.borrowed() as databases:
        _empty_database(databases["DATABASE_URL"])
        redis.Redis.from_url(databases["REDIS_URL"]).flushdb()
        environment = {**os.environ, **databases, "VAR_DIR": str(var_dir()), "DEMO_MODE": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "tools.prepare"], cwd=ROOT, env=environment, check=False
        )
        return done.returncode


def _empty_database(url: str) -> None:
    """Drop and make the schema `public`; refuse while somebody else is connected."""
    with psycopg.connect(url, autocommit=True) as connection:
        others = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        ).fetchone()
        if others and others[0]:
            raise CannotGoOn(RUNNING)
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


if __name__ == "__main__":
    errors.run_main(main)
