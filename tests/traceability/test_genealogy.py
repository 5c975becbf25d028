"""The ledger against a walk in Python: random lives of products, nothing missed, nothing twice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.masterdata.factories import ItemFactory, SiteFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability import selectors
from traceability.enums import Certainty, EventKind
from traceability.models import Kit, Link, SerialUnit, UnitKit
from traceability.services import audits, genealogy
from traceability.services.genealogy import Built, CannotLink, Fact, Loaded
from traceability.services.ledger import NewLink, OldLink, Rows, write

pytestmark = pytest.mark.django_db

ONE, EXACT, ONE_OF = Decimal(1), Certainty.EXACT, Certainty.ONE_OF


@pytest.fixture
def fact() -> Fact:
    return Fact(kind=EventKind.BUILD, at=MADE_AT, site_id=SiteFactory().pk, reference="WO-1")


def loaded(*lots, quantity=1, certainty=EXACT) -> list[Loaded]:
    return [Loaded(lot.pk, Decimal(quantity), certainty) for lot in lots]


@dataclass
class Book:
    """The same lives, kept as plain sets of (child, parent, sure)."""

    links: set[tuple[int, int, bool]] = field(default_factory=set)

    def below(self, node: int, *, sure: bool) -> set[int]:
        """All below, by a walk of single steps."""
        found, open_ = set(), [node]
        while open_:
            here = open_.pop()
            for child, parent, is_sure in self.links:
                if parent == here and (is_sure or not sure) and child not in found:
                    found.add(child)
                    open_.append(child)
        return found

    def above(self, node: int) -> set[int]:
        found, open_ = set(), [node]
        while open_:
            here = open_.pop()
            for child, parent, _sure in self.links:
                if child == here and parent not in found:
                    found.add(parent)
                    open_.append(parent)
        return found


steps = st.lists(
    st.tuples(
        st.sampled_from(["lot", "unit", "split", "merge", "replace", "apart", "correct"]),
        st.lists(st.integers(0, 60), min_size=1, max_size=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)


class Factory:
    """Plays steps on the ledger and in the book."""

    def __init__(self, fact: Fact) -> None:
        self.fact, self.book = fact, Book()
        made, bought = ItemFactory(), ItemFactory()
        self.made = made
        self.lots = [LotFactory(item=bought).pk for _ in range(3)]
        self.units: list[int] = []

    def play(self, what: str, picks: list[int], doubt: bool) -> None:
        getattr(self, what)(picks, doubt)

    def _lots(self, picks: list[int]) -> list[int]:
        return sorted({self.lots[pick % len(self.lots)] for pick in picks})

    def _loaded(self, picks: list[int], doubt: bool) -> list[Loaded]:
        certainty = ONE_OF if doubt else EXACT
        return [
            Loaded(pk, Decimal(pick + 1), certainty) for pick, pk in enumerate(self._lots(picks))
        ]

    def _note(self, child: int, lots: list[int], doubt: bool) -> None:
        """The kit's links, by the kit that the ledger gave."""
        [kit] = Link.objects.filter(child=child).exclude(parent__in=[*self.lots, *self.units])[:1]
        self.book.links.add((child, kit.parent, True))
        self.book.links |= {(kit.parent, lot, not doubt) for lot in lots}

    def lot(self, picks: list[int], doubt: bool) -> None:
        new = LotFactory(item=self.made).pk
        lines = self._loaded(picks, doubt)
        genealogy.build(fact=self.fact, outputs=[Built(new, Decimal(5))], loaded=lines)
        self._note(new, [line.lot_id for line in lines], doubt)
        self.lots.append(new)

    def unit(self, picks: list[int], doubt: bool) -> None:
        new = SerialUnitFactory(item=self.made).pk
        lines = self._loaded(picks, doubt)
        free = [pk for pk in self.units if not self._host(pk)]
        parts = sorted({free[pick % len(free)] for pick in picks[1:]}) if free else []
        genealogy.build(fact=self.fact, outputs=[Built(new, parts=parts)], loaded=lines)
        self._note(new, [line.lot_id for line in lines], doubt)
        self.book.links |= {(new, part, True) for part in parts}
        self.units.append(new)

    def split(self, picks: list[int], doubt: bool) -> None:
        source, new = self._lots(picks)[0], LotFactory(item=self.made).pk
        genealogy.split(fact=self.fact, source=source, parts={new: ONE})
        self.book.links.add((new, source, True))
        self.lots.append(new)

    def merge(self, picks: list[int], doubt: bool) -> None:
        new, sources = LotFactory(item=self.made).pk, self._lots(picks)
        genealogy.merge(
            fact=self.fact,
            target=new,
            sources=dict.fromkeys(sources, ONE),
            certainty=ONE_OF if doubt else EXACT,
        )
        self.book.links |= {(new, source, not doubt) for source in sources}
        self.lots.append(new)

    def replace(self, picks: list[int], doubt: bool) -> None:
        hosts = [pk for pk in self.units if self._parts(pk)]
        if not hosts:
            return
        host = hosts[picks[0] % len(hosts)]
        removed = self._parts(host)[0]
        free = [pk for pk in self.units if not self._host(pk) and pk != host]
        free = [pk for pk in free if host not in self.book.above(pk)]
        installed = free[picks[-1] % len(free)] if free else None
        genealogy.replace_part(fact=self.fact, unit=host, removed=removed, installed=installed)
        self.book.links.discard((host, removed, True))
        if installed:
            self.book.links.add((host, installed, True))

    def apart(self, picks: list[int], doubt: bool) -> None:
        hosts = [pk for pk in self.units if self._parts(pk)]
        if hosts:
            host = hosts[picks[0] % len(hosts)]
            genealogy.take_apart(fact=self.fact, unit=host, parts=self._parts(host))
            self.book.links -= {(host, part, True) for part in self._parts(host)}

    def correct(self, picks: list[int], doubt: bool) -> None:
        """The unit had other lots in it than was recorded."""
        if not self.units:
            return
        unit = self.units[picks[0] % len(self.units)]
        keys = [key for key in selectors.links_above(unit) if key[1] not in self.units]
        wrong = [OldLink(*key) for key in keys]
        kits = sorted(Kit.objects.values_list("pk", flat=True))
        right = kits[picks[-1] % len(kits)]
        genealogy.correct(
            fact=replace(self.fact, corrects_id=wrong[0].event_id),
            wrong=wrong,
            right=[NewLink(unit, right, ONE)],
        )
        self.book.links -= {(unit, link.parent, True) for link in wrong}
        self.book.links.add((unit, right, True))

    def _host(self, unit: int) -> int | None:
        return next((c for c, p, _ in self.book.links if p == unit), None)

    def _parts(self, unit: int) -> list[int]:
        return sorted(p for c, p, _ in self.book.links if c == unit and p in self.units)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_every_walk_finds_what_a_walk_in_python_finds(fact, steps):
    with transaction.atomic():
        factory = Factory(fact)
        for what, picks, doubt in steps:
            factory.play(what, picks, doubt)
        _compare(factory)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # Seals are made at commit.
        assert audits.findings() == []
        transaction.set_rollback(True)


def _compare(factory: Factory) -> None:
    book, units = factory.book, set(factory.units)
    for node in [*factory.lots, *factory.units]:
        assert selectors.above([node]) == book.above(node) | {node}
        assert selectors.below([node]) == book.below(node, sure=False) | {node}
    for lot in factory.lots:
        reached = selectors.units_of_lots([lot])
        assert set(reached) == book.below(lot, sure=False) & units
        assert {pk for pk, sure in reached.items() if sure} == book.below(lot, sure=True) & units
        assert sum(group.units for group in selectors.groups_of_lots([lot])) == len(reached)
    kits = set(Kit.objects.values_list("pk", flat=True))
    derived = set(UnitKit.objects.values_list("unit_id", "kit_id"))
    assert derived == {(unit, kit) for unit in units for kit in _kits(book, unit, kits, units)}
    hosts = dict(SerialUnit.objects.filter(host__isnull=False).values_list("pk", "host_id"))
    assert hosts == {p: c for c, p, _ in book.links if p in units}


def _kits(book: Book, unit: int, kits: set[int], units: set[int]) -> set[int]:
    """Kits of the unit and of the units inside it, not those behind its lots."""
    found, open_ = set(), [unit]
    while open_:
        here = open_.pop()
        for child, parent, _sure in book.links:
            if child == here and parent in kits:
                found.add(parent)
            elif child == here and parent in units:
                open_.append(parent)
    return found


def test_the_same_lots_at_a_station_are_one_kit(fact):
    lot, other = LotFactory(), LotFactory()
    units = SerialUnitFactory.create_batch(3)
    genealogy.build(
        fact=fact, outputs=[Built(unit.pk) for unit in units[:2]], loaded=loaded(lot, other)
    )
    genealogy.build(fact=fact, outputs=[Built(units[2].pk)], loaded=loaded(other, lot))
    assert Kit.objects.count() == 1
    assert selectors.units_of_lots([lot.pk]) == dict.fromkeys([unit.pk for unit in units], True)


def test_what_cannot_be_is_refused_and_nothing_is_written(fact):
    outer, inner, other = SerialUnitFactory.create_batch(3)
    genealogy.build(fact=fact, outputs=[Built(outer.pk, parts=[inner.pk])])
    before = Link.objects.count()
    # Inside itself over one level, within one event, and inside two at once.
    for rows, said in (
        ([NewLink(inner.pk, outer.pk, ONE)], "inside itself"),
        ([NewLink(inner.pk, other.pk, ONE), NewLink(other.pk, inner.pk, ONE)], "inside itself"),
        ([NewLink(other.pk, inner.pk, ONE)], "inside another unit already"),
        ([NewLink(other.pk, 2**41 + 2**40, ONE)], "knows no"),
    ):
        with pytest.raises(CannotLink, match=said):
            write(fact, Rows(links=rows))
    with pytest.raises(CannotLink, match="not in there"):
        genealogy.take_apart(fact=fact, unit=other.pk, parts=[inner.pk])
    genealogy.take_apart(fact=fact, unit=outer.pk, parts=[inner.pk])
    with pytest.raises(CannotLink, match="not in there"):
        genealogy.take_apart(fact=fact, unit=outer.pk, parts=[inner.pk])
    assert Link.objects.count() == before
