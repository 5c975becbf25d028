"""Measurements of floor and store, a module each; ``python manage.py bench_floor`` prints them.

Another one is a function without arguments that returns rows, and a line in MEASURES. It runs in a
scratch database that is empty but for the migrations, that has the demo factory where its name is
in WITH_DEMO, or a real company's data where it is in WITH_DATA (left out where there is none).
"""

from collections.abc import Callable
from functools import partial

from crm.bench import mrp
from crm.bench.floor import reporting, serials
from crm.bench.table import Row

MEASURES: dict[str, Callable[[], list[Row]]] = {
    "reports": partial(reporting.measure, "reports"),
    "events": partial(reporting.measure, "events"),
    "sign_in": partial(reporting.measure, "sign_in"),
    "serials": serials.measure,
    "mrp": mrp.rows,
}
WITH_DEMO: frozenset[str] = frozenset({"reports", "events", "sign_in"})
WITH_DATA: frozenset[str] = frozenset({"mrp"})
