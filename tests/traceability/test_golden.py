"""Golden genealogies: small lives whose answers were worked out by hand, each read in every way.

Capital letters are lots, small ones are units; a lot that nobody made was bought.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from django.db import connection, transaction

from tests.masterdata.factories import SiteFactory
from tests.traceability.factories import MADE_AT, LotFactory, SerialUnitFactory
from traceability import selectors
from traceability.enums import Certainty, EventKind
from traceability.services import audits, genealogy
from traceability.services.genealogy import Built, CannotLink, Fact, Loaded

pytestmark = pytest.mark.django_db

ONE, SURE, MAYBE = Decimal(1), Certainty.EXACT, Certainty.ONE_OF
Told = tuple[str, ...]


class World:
    """The ledger, with names for what is in it."""

    def __init__(self) -> None:
        self.fact = Fact(kind=EventKind.BUILD, at=MADE_AT, site_id=SiteFactory().pk)
        self.ids: dict[str, int] = {}

    def id(self, name: str) -> int:
        if name not in self.ids:
            kind = LotFactory if name.isupper() else SerialUnitFactory
            self.ids[name] = kind().pk
        return self.ids[name]

    def names(self, ids) -> str:
        """Sorted names without the kits, which stand for the lots behind them."""
        known = {pk: name for name, pk in self.ids.items()}
        return "".join(sorted(known[pk] for pk in ids if pk in known))

    def make(self, made: str, lots: Mapping[str, Certainty], *parts: str, **fact) -> None:
        loaded = [Loaded(self.id(lot), ONE, sure) for lot, sure in lots.items()]
        built = Built(self.id(made), parts=[self.id(part) for part in parts])
        genealogy.build(fact=replace(self.fact, **fact), outputs=[built], loaded=loaded)

    def rework(self, unit: str, lots: Mapping[str, Certainty]) -> None:
        self.make(unit, lots, kind=EventKind.REWORK)

    def split(self, source: str, new: str) -> None:
        genealogy.split(fact=self.fact, source=self.id(source), parts={self.id(new): ONE})

    def merge(self, target: str, sources: str, certainty: Certainty) -> None:
        shares = {self.id(source): ONE for source in sources}
        genealogy.merge(fact=self.fact, target=self.id(target), sources=shares, certainty=certainty)

    def replace(self, unit: str, old: str, new: str) -> None:
        genealogy.replace_part(
            fact=self.fact, unit=self.id(unit), removed=self.id(old), installed=self.id(new)
        )

    def apart(self, unit: str, part: str) -> None:
        genealogy.take_apart(fact=self.fact, unit=self.id(unit), parts=[self.id(part)])


@dataclass(frozen=True)
class Golden:
    """What happened, and what every question about it has to say."""

    story: Sequence[tuple]
    # Of a lot: the units it surely is in, and those it may be in.
    reach: Mapping[str, Told]
    # Of a unit or lot: what it was made from, and what is in it now.
    built: Mapping[str, str] = field(default_factory=dict)
    now: Mapping[str, str] = field(default_factory=dict)
    # What may not happen after that.
    refused: Sequence[tuple] = ()


CASES = {
    "two ways to the same lot count once": Golden(
        story=[
            ("make", "B", {"A": SURE}),
            ("make", "C", {"A": SURE}),
            ("make", "u", {"B": SURE, "C": SURE}),
        ],
        reach={"A": ("u", ""), "B": ("u", ""), "C": ("u", "")},
        built={"u": "ABC"},
        now={"u": "ABC", "B": "A"},
    ),
    "what was split off and put together is all of both": Golden(
        story=[
            ("split", "A", "B"),
            ("merge", "D", "BC", SURE),
            ("make", "u", {"D": SURE}),
            ("make", "v", {"A": SURE}),
        ],
        reach={"A": ("uv", ""), "B": ("u", ""), "C": ("u", ""), "D": ("u", "")},
        built={"u": "ABCD", "v": "A"},
        refused=[("split", "D", "A"), ("merge", "A", "D", SURE), ("make", "A", {"B": SURE})],
    ),
    "mixed in one bin, nobody knows which it was": Golden(
        story=[("merge", "C", "AB", MAYBE), ("make", "u", {"C": SURE})],
        reach={"A": ("", "u"), "B": ("", "u"), "C": ("u", "")},
        built={"u": "ABC"},
    ),
    "made at the change from one lot to the next": Golden(
        story=[
            ("make", "u", {"A": SURE}),
            ("make", "v", {"A": MAYBE, "B": MAYBE}),
            ("make", "w", {"B": SURE}),
        ],
        reach={"A": ("u", "v"), "B": ("w", "v")},
        built={"v": "AB"},
    ),
    "sure by one way is sure, however doubtful the other is": Golden(
        story=[
            ("make", "C", {"A": MAYBE, "B": MAYBE}),
            ("make", "u", {"C": SURE}),
            ("make", "v", {"C": SURE, "A": SURE}),
        ],
        reach={"A": ("v", "u"), "B": ("", "uv"), "C": ("uv", "")},
        built={"v": "ABC"},
    ),
    "replaced in the field, it was built with the old and has the new": Golden(
        story=[
            ("make", "m", {"A": SURE}),
            ("make", "n", {"B": SURE}),
            ("make", "u", {"C": SURE}, "m"),
            ("replace", "u", "m", "n"),
        ],
        reach={"A": ("m", ""), "B": ("nu", ""), "C": ("u", "")},
        built={"u": "ACm"},
        now={"u": "BCn"},
        refused=[("replace", "u", "m", "n"), ("replace", "n", "u", "m")],
    ),
    "taken apart, a part goes on in another": Golden(
        story=[
            ("make", "m", {"A": SURE}),
            ("make", "u", {"B": SURE}, "m"),
            ("apart", "u", "m"),
            ("make", "v", {"C": SURE}, "m"),
        ],
        reach={"A": ("mv", ""), "B": ("u", ""), "C": ("v", "")},
        built={"u": "ABm", "v": "ACm"},
        now={"u": "B", "v": "ACm"},
        # In one at a time, and in nothing that is in it.
        refused=[("make", "w", {"C": SURE}, "m"), ("make", "m", {"C": SURE}, "v")],
    ),
    "reworked, it has what was added as well": Golden(
        story=[("make", "u", {"A": SURE}), ("rework", "u", {"B": SURE})],
        reach={"A": ("u", ""), "B": ("u", "")},
        built={"u": "AB"},
        now={"u": "AB"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_question_has_the_answer_worked_out_by_hand(name):
    case, world = CASES[name], World()
    for verb, *said in case.story:
        getattr(world, verb)(*said)
    _asked(case, world)
    for verb, *said in case.refused:
        with pytest.raises(CannotLink), transaction.atomic():
            getattr(world, verb)(*said)
    # What was refused left nothing behind.
    _asked(case, world)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # Seals are made at commit.
    assert audits.findings() == []


def _asked(case: Golden, world: World) -> None:
    for lot, told in case.reach.items():
        found = selectors.units_of_lots([world.id(lot)])
        sure = world.names(pk for pk, is_sure in found.items() if is_sure)
        assert (sure, world.names(pk for pk, is_sure in found.items() if not is_sure)) == told
        # By plain recursion too, and in groups that sum to the distinct units.
        assert found == selectors.units_by_plain_walk([world.id(lot)])
        groups = selectors.groups_of_lots([world.id(lot)])
        assert sum(group.units for group in groups) == len(found)
    for made, parts in case.built.items():
        steps = selectors.steps_over(world.id(made))
        as_built = [step for step in steps if step.is_as_built]
        assert world.names(selectors.reached(world.id(made), as_built)) == parts
    for made, parts in case.now.items():
        steps = selectors.steps_over(world.id(made))
        assert (
            world.names(selectors.reached(world.id(made), [s for s in steps if s.holds])) == parts
        )
        assert world.names(selectors.above([world.id(made)]) - {world.id(made)}) == parts
