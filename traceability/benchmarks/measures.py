"""What is measured on the population; each is a list of (what, measured, bar)."""

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

from django.db import transaction

from traceability import selectors
from traceability.benchmarks.population import (
    DAYS,
    MACHINES,
    NARROW,
    START,
    WIDE,
    Population,
    naive_links,
    quantity,
)
from traceability.enums import EventKind
from traceability.models import Link, SerialUnit
from traceability.selectors import Cause
from traceability.services import genealogy, identities
from traceability.services.genealogy import Built, Fact, Loaded, NewReading

T = TypeVar("T")
Row = tuple[str, str, str]
_BATCH = 20_000


def rows(population: Population) -> list[Row]:
    """All measures, the reading ones first."""
    return [
        (
            "links stored / naive",
            f"{Link.objects.count():,} / {naive_links(population.units):,}",
            "",
        ),
        *_backward(population),
        *_forward(population),
        *_causes(population),
        *_writing(population),
    ]


def _spread(many: int, of: int) -> Iterable[int]:
    """Numbers all over the population, the same each time."""
    return ((n * 7_368_787) % of for n in range(many))


def _backward(population: Population) -> list[Row]:
    numbers = [f"sn-{n}" for n in _spread(2000, population.units)]

    def trace(number: str) -> None:
        [unit] = selectors.units_named(number)
        steps = selectors.steps_over(unit.pk)
        assert len(selectors.reached(unit.pk, steps)) > 10  # noqa: S101 - it found something

    return [("backward trace of one SN, full depth", _times(trace, numbers), "p95 ≤ 5 ms")]


def _forward(population: Population) -> list[Row]:
    told = []
    for lots, bar in ((NARROW, "p95 ≤ 100 ms"), (WIDE, "p95 ≤ 400 ms")):
        reached = [_sizes(population, lot) for lot in lots]
        measured = _times(lambda lot: selectors.groups_of_lots([lot]), lots)
        products, units = (statistics.median(column) for column in zip(*reached, strict=True))
        what = f"impact of a raw lot: {products:,.0f} products, {units:,.0f} units in all"
        told.append((what, measured, bar))
    return [*told, _completeness()]


def _sizes(population: Population, lot: int) -> tuple[int, int]:
    """Finished products that the lot reached, and these with the subassemblies in them."""
    groups = selectors.groups_of_lots([lot])
    products = sum(g.units for g in groups if g.item_id == population.product_id)
    return products, sum(g.units for g in groups)


def _completeness() -> Row:
    """A lot of each kind once more by a walk in Python, which shares nothing with the impact."""
    lots = (NARROW[-1], WIDE[-1])
    equal = [selectors.units_by_plain_walk([lot]) == selectors.units_of_lots([lot]) for lot in lots]
    what = "the same two lots by a walk in Python, unit by unit"
    return (what, "equal" if all(equal) else "NOT EQUAL", "equal")


def _causes(population: Population) -> list[Row]:
    def window(n: int) -> None:
        since = START + timedelta(days=n % (DAYS - 1))
        cause = Cause(
            since=since,
            until=since + timedelta(hours=8),
            work_unit_id=population.first_machine + n % MACHINES,
        )
        selectors.groups_of_things(selectors.touched_by(cause))

    def commonality(failed: Sequence[int]) -> None:
        near = selectors.neighbours(failed, item_id=population.product_id)
        selectors.shared_by(failed, near)

    first, units = population.first_product, population.units
    most = max(units - 2000, 1)
    close = [range(first + n, first + n + 90, 3) for n in _spread(50, most)]
    apart = [range(first + n, first + units, units // 30)[:30] for n in range(30)]
    return [
        ("machine and 8 hours: units by document", _times(window, range(100)), "p95 ≤ 20 ms"),
        ("what 30 failed units share, made together", _times(commonality, close), "p95 ≤ 20 ms"),
        ("the same, made over the whole time", _times(commonality, apart), ""),
    ]


def _writing(population: Population) -> list[Row]:
    fact = Fact(kind=EventKind.BUILD, at=START + timedelta(days=DAYS), site_id=population.site_id)
    loaded = [Loaded(lot, quantity()) for lot in (3000, 4000)]
    parts = SerialUnit.objects.filter(item_id=population.sub_id)

    def bulk(n: int) -> None:
        with transaction.atomic():
            ids = identities.register_units(
                item_id=population.product_id,
                numbers=[f"BULK-{n}-{k}" for k in range(_BATCH)],
                now=fact.at,
            )
            genealogy.build(fact=fact, outputs=[Built(pk) for pk in ids], loaded=loaded)

    def one(n: int) -> None:
        with transaction.atomic():
            subs = identities.register_units(
                item_id=population.sub_id, numbers=[f"ONE-{n}-A", f"ONE-{n}-B"], now=fact.at
            )
            [pk] = identities.register_units(
                item_id=population.product_id, numbers=[f"ONE-{n}"], now=fact.at
            )
            readings = [NewReading(pk) for _ in range(4)]
            genealogy.build(
                fact=fact, outputs=[Built(pk, parts=subs)], loaded=loaded, readings=readings
            )

    assert parts.exists()  # noqa: S101 - the population is there
    took = [_took(bulk, n) for n in range(5)]
    a_second = f"{_BATCH / statistics.median(took):,.0f}"
    return [
        ("units a second in bulk, with numbers and kit", a_second, "≥ 20,000"),
        ("one unit with two parts, kit and readings", _times(one, range(300)), "≤ 5 ms"),
    ]


def _took(act: Callable[[int], None], n: int) -> float:
    start = time.perf_counter()
    act(n)
    return time.perf_counter() - start


def _times(act: Callable[[T], object], over: Iterable[T]) -> str:
    """Median and 95th percentile in milliseconds, after three to warm up."""
    found = []
    for n, each in enumerate(over):
        start = time.perf_counter()
        act(each)
        if n >= 3:  # noqa: PLR2004 - see above
            found.append((time.perf_counter() - start) * 1000)
    found.sort()
    return f"p50 {statistics.median(found):.1f}, p95 {found[int(len(found) * 0.95)]:.1f} ms"
