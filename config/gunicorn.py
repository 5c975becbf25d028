"""The web process. `HOST`, `PORT`, `WEB_CONCURRENCY` (processes) and `WEB_THREADS` set it up."""

import os

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Threads: a page that waits for PostgreSQL, or streams progress, must not hold a whole process.
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
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
