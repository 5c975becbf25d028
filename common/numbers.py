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
    "NC": "common_number_nc",
    # What suppliers are asked for: corrective action.
    "SC": "common_number_sc",
}


def take(code: str, *, now: datetime | None = None) -> str:
    """The next number of a kind of document; KeyError for an unknown kind.

    ``now`` is taken so that a numbering by year would change no caller.
    """
    return take_many(code, 1, now=now)[0]


def take_many(code: str, count: int, *, now: datetime | None = None) -> list[str]:
    """The next ``count`` numbers in one round trip, ascending."""
    sequence = SEQUENCES[code]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [sequence, count]
        )
        return [f"{code}-{value}" for (value,) in cursor.fetchall()]
