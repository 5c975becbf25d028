"""Measurements of floor and store, a module each; ``python manage.py bench_floor`` prints them.

Another one is a function without arguments that returns rows, and a line in MEASURES. It runs in a
scratch database that is empty but for the migrations, or that has the demo factory where its name
is in WITH_DEMO.
"""

from collections.abc import Callable

from crm.bench.floor import serials
from crm.bench.table import Row

MEASURES: dict[str, Callable[[], list[Row]]] = {
    "serials": serials.measure,
}
WITH_DEMO: frozenset[str] = frozenset()
