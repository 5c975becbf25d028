"""Two years of a plant in SQL: raw lots, component lots, subassemblies, products, shipments.

A product has two subassemblies and two component lots, a subassembly four component lots, a
component lot two raw lots (so there are diamonds), all near each other in time. Lots at a station
change 5,000 times, so there are 10,000 kits; ``NARROW`` and ``WIDE`` raw lots reach about 1 % and
5 % of all products, and the subassemblies in them. Everything follows from the numbers: no chance,
the same each time. Readings lie in partitions by month, indexes are those of production.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper

from traceability.enums import FIRST_KIT_ID, FIRST_UNIT_ID
from traceability.models import Parameter

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 730
POSITIONS = 6
KITS = 5000
CUSTOMERS = 2000
MACHINES = 12
# Raw lots that many products have in them, by first and last number: about 1 and 5 in a hundred.
NARROW, WIDE = range(1, 21), range(21, 41)
_PER_POSITION = 2150
RAW_LOTS = 2700
ITEMS = ("raw", "component", "sub", "product")
_TABLES = ("lot", "serialunit", "kit", "document", "link", "unitkit", "reading", "custody")
# Tables of millions of rows: their indexes are built when they are full.
_LARGE = ("serialunit", "link", "unitkit", "reading", "custody")


@dataclass(frozen=True, slots=True)
class Population:
    """What was made: ids of the first thing of each sort."""

    units: int
    site_id: int
    product_id: int
    sub_id: int
    first_sub: int
    first_product: int
    first_machine: int


def make(units: int) -> Population:
    """Fill an empty ledger with so many products and twice as many subassemblies."""
    values: dict[str, Any] = {
        **_master_data(),
        "units": units,
        "machines": MACHINES,
        "customers": CUSTOMERS,
        "start": START,
        "days": DAYS,
        "positions": POSITIONS,
        "per": _PER_POSITION,
        "raws": RAW_LOTS,
        "kits": KITS,
        "kit0": FIRST_KIT_ID,
        "unit0": FIRST_UNIT_ID,
        "narrow": len(NARROW),
        "wide": len(NARROW) + len(WIDE),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute(_MONTHS, values)
        with _indexes_afterwards(cursor):
            for statement in _STATEMENTS:
                cursor.execute(statement, values)
        for table in _TABLES:
            cursor.execute(f"VACUUM ANALYZE traceability_{table}")
    return Population(
        units=units,
        site_id=values["site"],
        product_id=values["product"],
        sub_id=values["sub"],
        first_sub=FIRST_UNIT_ID,
        first_product=FIRST_UNIT_ID + 2 * units,
        first_machine=values["machine"],
    )


@contextmanager
def _indexes_afterwards(cursor: CursorWrapper) -> Iterator[None]:
    """Take the secondary indexes and foreign keys of large tables away; make them again after."""
    tables = [f"traceability_{table}" for table in _LARGE]
    cursor.execute(_INDEXES, [tables])
    indexes = cursor.fetchall()
    cursor.execute(_FOREIGN_KEYS, [tables])
    keys = cursor.fetchall()
    for table, name, _made in keys:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _made in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _name, made in indexes:
        cursor.execute(made.replace(" ON ONLY ", " ON "))
    for table, name, made in keys:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}")


def _master_data() -> dict[str, int]:
    """Items, a site, machines and customers, of a scratch database: not by the import's way."""

    def make(name: str, **fields: Any) -> Any:
        model = apps.get_model("masterdata", name)
        return model._default_manager.create(**{"code": "BENCH", "name": "Bench", **fields})

    items = {name: make("Item", code=f"BENCH-{name}").pk for name in ITEMS}
    calendar = make("Calendar")
    site = make("Site", calendar=calendar, shipping_calendar=calendar)
    center = make("WorkCenter", site=site, calendar=calendar)
    machines = [make("WorkUnit", code=f"BENCH-{n}", work_center=center) for n in range(MACHINES)]
    customers = [make("Customer", code=f"BENCH-{n}") for n in range(CUSTOMERS)]
    supplier = make("Supplier")
    torque = Parameter.objects.create(code="TORQUE", name="Torque", unit="N·m")
    return {
        **items,
        "site": site.pk,
        "machine": machines[0].pk,
        "customer": customers[0].pk,
        "supplier": supplier.pk,
        "torque": torque.pk,
    }


def naive_links(units: int) -> int:
    """How many links there would be without kits."""
    return units * (2 + 2) + 2 * units * 4 + POSITIONS * _PER_POSITION * 2


def quantity() -> Decimal:
    """What a piece takes of each lot."""
    return Decimal(1)


_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid::regclass::text = ANY(%s)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)
"""
_MONTHS = """
SELECT traceability_make_month(month::date) FROM generate_series(%(start)s,
    %(start)s + %(days)s * interval '1 day', interval '1 month') AS month
"""
_STATEMENTS = (
    # One event stands for the history; what is measured of writing makes its own.
    """
    INSERT INTO traceability_event (kind, at, site_id, reference, program, note, digest)
    VALUES ('build', %(start)s, %(site)s, 'BENCH', '', '', ''::bytea)
    """,
    """
    INSERT INTO traceability_lot (id, item_id, number, supplier_lot, made_at, state)
    SELECT n, %(raw)s, 'RAW-' || n, 'S' || n,
        %(start)s + %(days)s * (n::float / %(raws)s) * interval '1 day', 'consumed'
    FROM generate_series(1, %(raws)s) AS n
    UNION ALL
    SELECT %(raws)s + p * %(per)s + n, %(component)s, 'C' || p || '-' || n, '',
        %(start)s + %(days)s * (n::float / %(per)s) * interval '1 day', 'consumed'
    FROM generate_series(0, %(positions)s - 1) AS p, generate_series(1, %(per)s) AS n
    """,
    """
    INSERT INTO traceability_link (child, parent, event_id, quantity, role, certainty)
    SELECT DISTINCT %(raws)s + p * %(per)s + n, parent, 1, 1, 1, 1
    FROM generate_series(0, %(positions)s - 1) AS p, generate_series(1, %(per)s) AS n,
    LATERAL (VALUES
        (%(wide)s + 1 + (n * (%(raws)s - %(wide)s - 2) / %(per)s)::int),
        (%(wide)s + 2 + (n * (%(raws)s - %(wide)s - 2) / %(per)s)::int),
        -- Twenty narrow lots of position 0, 21 component lots each; wide ones 107.
        (CASE WHEN p = 0 AND n <= 21 * %(narrow)s THEN 1 + (n - 1) / 21 END),
        (CASE WHEN p = 1 AND n <= 107 * (%(wide)s - %(narrow)s)
            THEN %(narrow)s + 1 + (n - 1) / 107 END)
    ) AS of (parent) WHERE parent IS NOT NULL
    """,
    """
    INSERT INTO traceability_kit (id, hash, made_at)
    SELECT %(kit0)s + n, sha256(n::text::bytea), %(start)s
    FROM generate_series(0, 2 * %(kits)s - 1) AS n
    """,
    # Kits of subassemblies (positions 0 to 3), then those of products (4 and 5).
    """
    INSERT INTO traceability_link (child, parent, event_id, quantity, role, certainty)
    SELECT %(kit0)s + n, %(raws)s + p * %(per)s + 1 + n * %(per)s / %(kits)s, 1, 1, 1, 1
    FROM generate_series(0, %(kits)s - 1) AS n, generate_series(0, 3) AS p
    UNION ALL
    SELECT %(kit0)s + %(kits)s + n, %(raws)s + p * %(per)s + 1 + n * %(per)s / %(kits)s, 1, 1, 1, 1
    FROM generate_series(0, %(kits)s - 1) AS n, generate_series(4, 5) AS p
    """,
    """
    INSERT INTO traceability_document (kind, number, customer_id, order_number, certificate, at)
    SELECT 'shipment', 'BENCH-' || n, %(customer)s + n %% %(customers)s, 'SO-' || n, '',
        %(start)s + %(days)s * (n / greatest(%(units)s / 40, 1)::float) * interval '1 day'
    FROM generate_series(0, greatest(%(units)s / 40, 1)) AS n
    """,
    """
    INSERT INTO traceability_document (kind, number, supplier_id, order_number, certificate, at)
    SELECT 'receipt', 'GR-' || n, %(supplier)s, 'PO-' || n, 'CERT-' || n,
        %(start)s + %(days)s * (n::float / %(raws)s) * interval '1 day'
    FROM generate_series(1, %(raws)s) AS n
    """,
    """
    INSERT INTO traceability_serialunit
        (id, item_id, number, supplier_lot, made_at, state, host_id, document_id)
    SELECT %(unit0)s + n, %(sub)s, 'SUB-' || n, '',
        %(start)s + %(days)s * (n / (2.0 * %(units)s)) * interval '1 day', 'consumed',
        %(unit0)s + 2 * %(units)s + n / 2, NULL
    FROM generate_series(0, 2 * %(units)s - 1) AS n
    UNION ALL
    SELECT %(unit0)s + 2 * %(units)s + n, %(product)s, 'SN ' || n, '',
        %(start)s + %(days)s * (n / %(units)s::float) * interval '1 day',
        CASE WHEN n %% 20 = 0 THEN 'available' ELSE 'shipped' END, NULL,
        CASE WHEN n %% 20 > 0 THEN
            (SELECT min(id) FROM traceability_document WHERE kind = 'shipment') + n / 40 END
    FROM generate_series(0, %(units)s - 1) AS n
    """,
    """
    INSERT INTO traceability_link (child, parent, event_id, quantity, role, certainty)
    SELECT %(unit0)s + n, %(kit0)s + n * %(kits)s / (2 * %(units)s), 1, 1, 1, 1
    FROM generate_series(0::bigint, 2 * %(units)s - 1) AS n
    """,
    """
    INSERT INTO traceability_link (child, parent, event_id, quantity, role, certainty)
    SELECT %(unit0)s + 2 * %(units)s + n, parent, 1, 1, 1, 1
    FROM generate_series(0::bigint, %(units)s - 1) AS n, LATERAL (VALUES
        (%(kit0)s + %(kits)s + n * %(kits)s / %(units)s),
        (%(unit0)s + 2 * n), (%(unit0)s + 2 * n + 1)) AS of (parent)
    """,
    """
    INSERT INTO traceability_unitkit (unit_id, kit_id)
    SELECT child, parent FROM traceability_link
    WHERE child >= %(unit0)s AND parent < %(unit0)s
    """,
    # A product has inside what its two subassemblies have: mostly the same kit.
    """
    INSERT INTO traceability_unitkit (unit_id, kit_id)
    SELECT %(unit0)s + 2 * %(units)s + n, of.kit
    FROM generate_series(0::bigint, %(units)s - 1) AS n, LATERAL (
        SELECT %(kit0)s + 2 * n * %(kits)s / (2 * %(units)s)
        UNION SELECT %(kit0)s + (2 * n + 1) * %(kits)s / (2 * %(units)s)) AS of (kit)
    """,
    """
    INSERT INTO traceability_reading (subject, at, event_id, operation, work_unit_id, operator_id,
        program, parameter_id, value, lower, upper, verdict)
    SELECT %(unit0)s + 2 * %(units)s + n,
        %(start)s + (%(days)s * (n / %(units)s::float) + step / 1000.0) * interval '1 day',
        1, step * 10, %(machine)s + (n / 500 + step) %% %(machines)s, NULL, '',
        CASE WHEN step < 4 THEN %(torque)s END, CASE WHEN step < 4 THEN 2.4 END,
        CASE WHEN step < 4 THEN 2.2 END, CASE WHEN step < 4 THEN 2.6 END,
        CASE WHEN step < 4 THEN 1 ELSE 0 END
    FROM generate_series(0::bigint, %(units)s - 1) AS n, generate_series(1, 7) AS step
    """,
    """
    INSERT INTO traceability_custody (thing, document_id, event_id, quantity)
    SELECT id, document_id, 1, 1 FROM traceability_serialunit WHERE document_id IS NOT NULL
    UNION ALL
    SELECT substr(number, 4)::bigint, id, 1, 1 FROM traceability_document WHERE kind = 'receipt'
    """,
    "SELECT setval('traceability_lot_id_seq', %(raws)s + %(positions)s * %(per)s)",
    "SELECT setval('traceability_kit_id_seq', %(kit0)s + 2 * %(kits)s)",
    "SELECT setval('traceability_serialunit_id_seq', %(unit0)s + 3 * %(units)s)",
)
