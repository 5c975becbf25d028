"""The web process. `HOST`, `PORT`, `WEB_CONCURRENCY` (processes) and `WEB_THREADS` set it up."""

import os
from typing import Any

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Threads: a page that waits for PostgreSQL must not hold a whole process. Half of them may hold
# streams of live updates (LIVE_STREAMS), which wait and do nothing.
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "16"))
timeout = 60
graceful_timeout = 10
# Fresh processes now and then keep a slow leak from becoming an outage.
max_requests = 10_000
max_requests_jitter = 1_000
# The heartbeat file, in memory: on a disk its sync would stall the worker.
_MEMORY = "/dev/shm"  # noqa: S108
worker_tmp_dir = _MEMORY if os.path.isdir(_MEMORY) else None
accesslog = os.environ.get("WEB_ACCESS_LOG") or None
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Streams of live updates end as soon as their process is asked to."""
    from common import live

    live.stop_when(lambda: not worker.alive)
