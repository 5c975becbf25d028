"""How long a work center takes from one setup family to another, by the most exact rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from masterdata.models import Changeover, RoutingOperation

# In a rule: any other family.
ANY = ""


@dataclass(frozen=True)
class Changeovers:
    """The rules of one work center, in minutes on the clock.

    An exact pair counts before a rule into the family, that before a rule out of the family, and
    the rule from any to any comes last. Between operations of one family, and where one of them
    has none, nothing is to be changed over, unless the pair of that family is listed.
    """

    rules: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def minutes(self, before: str, after: str) -> int:
        """From the family of one operation to that of the next on the same unit."""
        if not before or not after:
            return 0
        if before == after:
            return self.rules.get((before, after), 0)
        for rule in ((before, after), (ANY, after), (before, ANY), (ANY, ANY)):
            if rule in self.rules:
                return self.rules[rule]
        return 0

    def matrix(self, families: Iterable[str]) -> dict[str, dict[str, int]]:
        """Family before, family after, minutes: all pairs of these that take some."""
        known = sorted(set(families) - {ANY})
        rows = {
            before: {
                after: minutes for after in known if (minutes := self.minutes(before, after)) > 0
            }
            for before in known
        }
        return {before: row for before, row in rows.items() if row}


def changeovers(*, site_id: int) -> dict[int, Changeovers]:
    """The rules of the site's work centers by id, of those that have any; one query."""
    found: dict[int, dict[tuple[str, str], int]] = {}
    rows = Changeover.objects.filter(work_center__site_id=site_id)
    for center, before, after, minutes in rows.values_list(
        "work_center_id", "from_family", "to_family", "minutes"
    ):
        found.setdefault(center, {})[before, after] = minutes
    return {center: Changeovers(rules) for center, rules in found.items()}


def setup_families(*, site_id: int) -> set[str]:
    """Every setup family that a routing names at the site's work centers; one query."""
    rows = RoutingOperation.objects.filter(work_center__site_id=site_id).exclude(setup_family="")
    return set(rows.values_list("setup_family", flat=True).distinct())
