"""Many rows into a table at once, by COPY: twice as fast as INSERT in bulk, as fast for one row."""

from collections.abc import Iterable, Sequence

from django.db import connection


def put(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Add the rows, in the order of our own columns; one statement. Raise what an INSERT would."""
    # Django translates the errors of calls, and those of a COPY come at its end.
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
