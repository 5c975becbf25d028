"""Real processes for the tests of faults; other folders may import the fixtures as well."""

from tests.faults.live import (
    _redis_process,
    _worker_process,
    live_dispatcher,
    live_folder,
    live_redis,
    live_worker,
    no_worker,
)

__all__ = [
    "_redis_process",
    "_worker_process",
    "live_dispatcher",
    "live_folder",
    "live_redis",
    "live_worker",
    "no_worker",
]
