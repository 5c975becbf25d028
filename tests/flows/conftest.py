"""The processes of the stories."""

from tests.faults.live import (
    _redis_process,
    _worker_process,
    live_folder,
    live_redis,
)
from tests.flows.chain import _chain_dispatcher, _chain_web, _chain_worker, chain

__all__ = [
    "_chain_dispatcher",
    "_chain_web",
    "_chain_worker",
    "_redis_process",
    "_worker_process",
    "chain",
    "live_folder",
    "live_redis",
]
