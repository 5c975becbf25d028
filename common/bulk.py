"""Many rows changed by one statement; the ORM's ``bulk_update`` takes seconds for thousands.

As with ``bulk_update``, ``save()`` is not called and constraints judge the rows. The caller holds
the locks.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Field, Func, Model, Q, Value


def save(instances: Iterable[Model], fields: Sequence[str]) -> int:
    """Write these fields of instances of one model; return how many rows there were."""
    rows = list(instances)
    if not rows:
        return 0
    model = type(rows[0])
    columns = [_column(model, name) for name in fields]
    values = [(row.pk, *(getattr(row, column.attname) for column in columns)) for row in rows]
    return write(model, fields, values)


def write(model: type[Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows of (primary key, a value per field); return how many rows there were."""
    ordered = sorted(rows, key=lambda row: row[0])
    if not ordered:
        return 0
    columns = [model._meta.pk, *(_column(model, name) for name in fields)]
    quote = connection.ops.quote_name
    names = [f"v{number}" for number in range(len(columns))]
    sets = ", ".join(
        f"{quote(column.column)} = new.{name}"
        for column, name in zip(columns[1:], names[1:], strict=True)
    )
    arrays = ", ".join(f"%s::{_type(column)}[]" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} AS old SET {sets} "  # noqa: S608 - our names
            f"FROM unnest({arrays}) AS new ({', '.join(names)}) "
            f"WHERE old.{quote(columns[0].column)} = new.v0",
            [
                [_plain(column, row[place]) for row in ordered]
                for place, column in enumerate(columns)
            ],
        )
    return len(ordered)


def insert(model: type[Model], fields: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """Insert rows of a value per field, in their order; return the primary keys, ascending.

    For ten thousand rows at once, where building instances takes longer than writing them. Every
    field without a database default has to be named.
    """
    if not rows:
        return []
    columns = [_column(model, name) for name in fields]
    quote = connection.ops.quote_name
    names = ", ".join(quote(column.column) for column in columns)
    arrays = ", ".join(f"%s::{_type(column)}[]" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({names}) "  # noqa: S608 - our names
            f"SELECT * FROM unnest({arrays}) RETURNING {quote(_key(model))}",
            [[_plain(column, row[place]) for row in rows] for place, column in enumerate(columns)],
        )
        return [pk for (pk,) in cursor.fetchall()]


def among(field: str, values: Iterable[int]) -> Func:
    """A filter by thousands of ids as one parameter: ``filter(bulk.among("pk", ids))``.

    As a list they would be thousands of parameters, which take longer to write than to look up; as
    a subquery they would be joined, and badly while PostgreSQL's statistics are old.
    """
    return Func(
        F(field),
        Value(list(values)),
        template="%(expressions)s)",
        arg_joiner=" = ANY(",
        output_field=BooleanField(),
    )


def either(**values: Collection[int]) -> Q:
    """The same for several fields, of which one fits; nothing where there are no ids at all."""
    found = Q(pk__in=[])
    for field, ids in values.items():
        if ids:
            found |= Q(among(field, ids))
    return found


def _key(model: type[Model]) -> str:
    column = model._meta.pk.column
    assert column is not None  # noqa: S101 - every table has one
    return column


def _column(model: type[Model], name: str) -> Any:
    found = model._meta.get_field(name)
    assert isinstance(found, Field), f"{name} has no column"  # noqa: S101 - the caller's defect
    return found


def _type(column: Any) -> str:
    """The column's type without its length: a cast to the length would cut what is too long."""
    return re.sub(r"\(.*\)", "", column.rel_db_type(connection))


def _plain(column: Any, value: Any) -> Any:
    prepared = column.get_db_prep_save(value, connection)
    # A member of TextChoices is a string that the driver would not know in an array.
    return str(prepared) if isinstance(prepared, str) else prepared
