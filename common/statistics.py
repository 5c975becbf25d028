"""What PostgreSQL knows of its tables, brought up to date after thousands of rows came at once.

Autovacuum looks once a minute; until then the planner takes a table for as small as it was, and a
join that takes milliseconds may take minutes.
"""

import logging
from contextlib import nullcontext
from functools import partial

from django.db import DatabaseError, connection, transaction
from django.db.models import Model

logger = logging.getLogger(__name__)

# So many rows at once are worth a look at the tables they went into.
MANY_ROWS = 500


def analyze_later(*models: type[Model], rows: int) -> None:
    """After the commit, and only where many rows came: no lock is held over it."""
    if rows >= MANY_ROWS:
        transaction.on_commit(partial(analyze, *models), robust=True)


def analyze(*models: type[Model]) -> None:
    """Sample the models' tables, all tables where none is named.

    PostgreSQL passes by, with a warning, tables that the role may not analyze (the application's
    role where the owner granted it no MAINTAIN): autovacuum does it later. So does a failure.
    """
    quote = connection.ops.quote_name
    tables = ", ".join(quote(model._meta.db_table) for model in models)
    try:
        # By itself it commits table by table; inside a transaction a failure must not end that.
        guard = transaction.atomic() if connection.in_atomic_block else nullcontext()
        with guard, connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")
    except DatabaseError as error:
        logger.warning("ANALYZE %s: %s", tables, error)
