"""Is the process alive, and can it serve?"""

from collections.abc import Callable
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from common.access import public
from common.jobs import overview
from common.models import Heartbeat

DISPATCHER = "dispatcher"
SILENT_AFTER = timedelta(seconds=60)


@public
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return HttpResponse("ok", content_type="text/plain")


@public
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 where requests can be served, 503 where not.

    Without the database or with migrations missing nothing works: "down". Without Redis, the
    dispatcher or workers that listen, pages work and jobs wait in the ledger: "degraded".
    """
    database = _ask(_database)
    checks = {
        "database": database,
        "migrations": _ask(_migrations) if database == "ok" else "unknown",
        "redis": _ask(_redis),
        "dispatcher": _ask(_dispatcher) if database == "ok" else "unknown",
        "workers": _ask(_workers) if database == "ok" else "unknown",
    }
    down = checks["database"] != "ok" or checks["migrations"] != "ok"
    state = "down" if down else "ok" if set(checks.values()) == {"ok"} else "degraded"
    return JsonResponse({"status": state, "checks": checks}, status=503 if down else 200)


def _ask(check: Callable[[], bool]) -> str:
    try:
        return "ok" if check() else "failed"
    except (DatabaseError, redis.RedisError, OSError):
        return "failed"


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() is not None


def _migrations() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _redis() -> bool:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
    ) as client:
        return bool(client.ping())


def _dispatcher() -> bool:
    beat = Heartbeat.objects.filter(name=DISPATCHER).first()
    return beat is not None and timezone.now() - beat.at < SILENT_AFTER


def _workers() -> bool:
    return not overview.deaf_queues(at=timezone.now())
