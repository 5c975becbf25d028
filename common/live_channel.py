"""Where live updates are announced; ``common.live`` listens."""

from collections.abc import Iterable

from django.db import connection

CHANNEL = "millstream_live"


def announce(topics: Iterable[str], *, version: int) -> None:
    """Say in the current transaction that the topics have changed; heard after the commit."""
    payloads = [f"{topic} {version}" for topic in topics]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, word) FROM unnest(%s::text[]) word", [CHANNEL, payloads]
        )
