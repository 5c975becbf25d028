"""How much one user may ask of the API; by itself, since REST framework loads it early."""

import logging
import time
from typing import Any

import redis
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

logger = logging.getLogger(__name__)

# While Redis is away nobody is counted, and it is not asked again for so long.
PAUSE_SECONDS = 5.0


class UserThrottle(UserRateThrottle):
    """``API_RATE`` requests per user (429 with Retry-After beyond), counted in Redis.

    Redis may be emptied or away at any moment: then nobody is refused.
    """

    cache = caches["throttle"]
    paused_until = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the user may ask now."""
        if self.rate is None or time.monotonic() < UserThrottle.paused_until:
            return True
        try:
            return bool(super().allow_request(request, view))
        except (redis.RedisError, OSError) as error:
            UserThrottle.paused_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("The API's requests are not counted: %s", error)
            return True
