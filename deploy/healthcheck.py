"""What compose asks: is this process doing its work? Exit code 0 says yes.

python deploy/healthcheck.py web|worker|dispatcher|machines
"""

import http.client
import os
import socket
import subprocess
import sys
import time

import psycopg

DISPATCHER_SILENCE_SECONDS = 30
MACHINES_SILENCE_SECONDS = 60


def web() -> bool:
    """The login page answers without an error."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=8)
    # As the proxy would ask: by the public name, over TLS.
    headers = {"Host": host, "X-Forwarded-Proto": "https"}
    connection.request("GET", "/accounts/login/", headers=headers)
    return connection.getresponse().status == http.HTTPStatus.OK


def worker() -> bool:
    """The worker of this container answers a ping, also while its pool is busy."""
    name = f"celery@{socket.gethostname()}"
    command = [sys.executable, "-m", "celery", "-A", "config", "inspect", "ping"]
    command += ["--destination", name, "--timeout", "10"]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603


def dispatcher() -> bool:
    """The dispatcher's connection asked the database something a short while ago."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, connect_timeout=5, application_name="healthcheck") as connection:
        for _ in range(10):  # it may be between two connections
            row = connection.execute(
                "SELECT bool_or(state_change > clock_timestamp() - make_interval(secs => %s))"
                " FROM pg_stat_activity WHERE application_name = 'millstream-dispatcher'",
                [DISPATCHER_SILENCE_SECONDS],
            ).fetchone()
            connection.rollback()  # a transaction sees one snapshot of that view
            if row and row[0]:
                return True
            time.sleep(0.5)
    return False


def machines() -> bool:
    """The listener had both the broker and the database a short while ago."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, connect_timeout=5, application_name="healthcheck") as connection:
        row = connection.execute(
            "SELECT at > clock_timestamp() - make_interval(secs => %s)"
            " FROM common_heartbeat WHERE name = 'machines'",
            [MACHINES_SILENCE_SECONDS],
        ).fetchone()
    return bool(row and row[0])


CHECKS = {"web": web, "worker": worker, "dispatcher": dispatcher, "machines": machines}
if __name__ == "__main__":
    sys.exit(0 if CHECKS[sys.argv[1]]() else 1)
