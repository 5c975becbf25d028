from tests.faults.live import (
    _redis_process,
    live_dispatcher,
    live_folder,
    live_redis,
    live_worker,
)

__all__ = ["_redis_process", "live_dispatcher", "live_folder", "live_redis", "live_worker"]
