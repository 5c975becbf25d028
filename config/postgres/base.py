"""Django's PostgreSQL, with a pool that is whole again at once when its connections were cut.

psycopg's own check at the door waits 0, 1, 2, 4 … seconds after each dead connection: behind a
dozen of them the next request would wait out the pool's time-out. Here dead ones are handed back
one after the other without a pause, which also makes the pool replace them.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's; CONN_HEALTH_CHECKS stays off where there is a pool, the check is made here."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection that works; raise OperationalError where the server gives none in time."""
        while True:
            connection = super().get_new_connection(conn_params)
            if not self.pool:
                return connection
            try:
                ConnectionPool.check_connection(connection)
            except psycopg.OperationalError:
                self.pool.putconn(connection)
            else:
                return connection
