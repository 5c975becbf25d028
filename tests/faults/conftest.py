"""Real processes for the tests of faults; other folders may import the fixtures as well."""

from tests.faults.live import (
    _redis_process,
    _worker_process,
    live_dispatcher,
    live_folder,
    live_redis,
    live_worker,
    live_worker_of,
    no_worker,
)
from tests.flows.chain import _chain_dispatcher, _chain_web, _chain_worker, chain

__all__ = [
    "_chain_dispatcher",
    "_chain_web",
    "_chain_worker",
    "_redis_process",
    "_worker_process",
    "chain",
    "live_dispatcher",
    "live_folder",
    "live_redis",
    "live_worker",
    "live_worker_of",
    "no_worker",
]
