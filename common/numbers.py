"""Numbers of documents, such as SO-100001, from PostgreSQL sequences.

A sequence waits for nobody and never gives a number twice; a transaction that rolls back leaves
a gap, which is allowed.
"""

from datetime import datetime

from django.db import connection

# Code of the document, also its prefix, to its sequence; a migration creates each.
SEQUENCES: dict[str, str] = {
    "SO": "common_number_so",
    "WO": "common_number_wo",
    "PO": "common_number_po",
    "SH": "common_number_sh",
    "LOT": "common_number_lot",
    "RR": "common_number_rr",
    "SN": "common_number_sn",
    "TR": "common_number_tr",
    # Transfers between sites; TR are moves inside one.
    "ST": "common_number_st",
    "CT": "common_number_ct",
    "INC": "common_number_inc",
    "AS": "common_number_as",
    "RMA": "common_number_rma",
    # Repairs of what came back, and reports to customers.
    "RO": "common_number_ro",
    "RP": "common_number_rp",
    "NC": "common_number_nc",
    # What suppliers are asked for: corrective action.
    "SC": "common_number_sc",
    # Maintenance of machines.
    "MT": "common_number_mt",
}
# Numbers that say their year, such as AS-2026-1001; the count goes on over the years.
WITH_YEAR = frozenset({"AS"})


def take(code: str, *, now: datetime | None = None) -> str:
    """The next number of a kind of document; KeyError for an unknown kind.

    Raise ValueError for a kind that says its year and no ``now``.
    """
    return take_many(code, 1, now=now)[0]


def take_many(code: str, count: int, *, now: datetime | None = None) -> list[str]:
    """The next ``count`` numbers in one round trip, ascending."""
    sequence = SEQUENCES[code]
    head = code
    if code in WITH_YEAR:
        if now is None:
            raise ValueError(f"A number {code} says its year.")
        head = f"{code}-{now:%Y}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count]
        )
        return [f"{head}-{value}" for (value,) in cursor.fetchall()]
