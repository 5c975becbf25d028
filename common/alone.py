"""A connection beside the pool, for what holds one for long: it would take the pool's place."""

from copy import deepcopy
from typing import Any

from django.db import connection
from psycopg import Connection


def connect_alone() -> "Connection[Any]":
    """Connect to the same database, in autocommit; whoever asks closes it, and gets its errors."""
    alone = connection.copy()
    alone.settings_dict = deepcopy(alone.settings_dict)
    alone.settings_dict["OPTIONS"].pop("pool", None)
    parameters = alone.get_connection_params()
    keywords = {
        name: value
        for name, value in parameters.items()
        if name in {"dbname", "user", "password", "host", "port", "options", "connect_timeout"}
    }
    return Connection.connect(**keywords, autocommit=True)
