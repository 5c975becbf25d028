"""What an import did, what it assumed and what was wrong, as text for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.translation import gettext as _

from masterdata.services.imports import BadRow, Outcome

_SHOWN = 500


@dataclass(slots=True)
class Summary:
    """Numbers by kind of row, assumptions in words, and each bad row."""

    counts: dict[str, Outcome] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    is_written: bool = False
    took: timedelta = timedelta(0)

    @property
    def created(self) -> int:
        return sum(outcome.created for outcome in self.counts.values())

    @property
    def changed(self) -> int:
        return sum(outcome.changed for outcome in self.counts.values())

    def assume(self, sentence: str, codes: Sequence[str] = ()) -> None:
        """Note a sentence; the codes it is about follow, all of them."""
        listed = f" {', '.join(codes)}." if codes else ""
        self.assumptions.append(sentence + listed)

    def lines(self) -> Iterator[str]:
        """The summary as it is printed."""
        yield _("%(kind)-24s %(created)9s %(changed)9s %(same)9s %(bad)6s") % {
            "kind": "",
            "created": _("created"),
            "changed": _("changed"),
            "same": _("same"),
            "bad": _("bad"),
        }
        for kind, outcome in self.counts.items():
            yield (
                f"{kind:<24} {outcome.created:>9} {outcome.changed:>9}"
                f" {outcome.unchanged:>9} {outcome.bad:>6}"
            )
        if self.assumptions:
            yield ""
            yield _("Assumed:")
            yield from (f"- {sentence}" for sentence in self.assumptions)
        if self.bad:
            yield ""
            yield _("Bad rows: %(count)s") % {"count": len(self.bad)}
            yield from (f"- {bad}" for bad in self.bad[:_SHOWN])
            if len(self.bad) > _SHOWN:
                yield _("… and %(count)s more.") % {"count": len(self.bad) - _SHOWN}
        yield ""
        yield self._verdict()

    def _verdict(self) -> str:
        seconds = f"{self.took.total_seconds():.1f}"
        if self.is_written:
            return _("Imported in %(seconds)s s.") % {"seconds": seconds}
        if self.bad:
            return _(
                "Nothing was imported (%(seconds)s s): correct the bad rows, or take the good"
                " ones with --take-good."
            ) % {"seconds": seconds}
        return _("A dry run: nothing was imported (%(seconds)s s).") % {"seconds": seconds}
