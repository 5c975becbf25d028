"""Money of one currency in another, at the rate of a day; a rate that is missing is refused."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.errors import Refused
from masterdata.models import ExchangeRate

ONE = Decimal(1)


class NoExchangeRate(Refused):
    """Nobody entered what one currency is worth in another on a day."""


@dataclass(slots=True)
class Exchange:
    """Into one currency, at the rates of one day; one query, and none where nothing is foreign."""

    currency: str
    day: date
    _rates: dict[str, Decimal] | None = field(default=None, repr=False)

    def rate(self, source: str) -> Decimal:
        """What one ``source`` is worth; the newest rate of the day or before it.

        The rate the other way round serves as well where it is newer or the only one. Raise
        NoExchangeRate with what to enter.
        """
        if source == self.currency:
            return ONE
        if self._rates is None:
            self._rates = _read(self.currency, self.day)
        found = self._rates.get(source)
        if found is None:
            raise NoExchangeRate(
                _(
                    "There is no exchange rate from %(source)s to %(target)s for %(day)s: "
                    "enter it in the master data under exchange rates."
                )
                % {
                    "source": source,
                    "target": self.currency,
                    "day": date_format(self.day, "SHORT_DATE_FORMAT"),
                }
            )
        return found

    def convert(self, amount: Decimal, source: str) -> Decimal:
        """An amount of ``source``, unrounded; raise NoExchangeRate."""
        return amount * self.rate(source)

    def knows(self, source: str) -> bool:
        """Whether there is a rate."""
        try:
            self.rate(source)
        except NoExchangeRate:
            return False
        return True


def exchange(*, into: str, on: date) -> Exchange:
    """Conversion into a currency at the rates of a day."""
    return Exchange(into, on)


def _read(currency: str, day: date) -> dict[str, Decimal]:
    rows = ExchangeRate.objects.filter(
        Q(target=currency) | Q(source=currency), valid_from__lte=day
    ).values_list("source", "target", "rate", "valid_from")
    found: dict[str, Decimal] = {}
    # Of one day the direct rate counts: it comes last.
    for source, target, rate, _begins in sorted(rows, key=lambda row: (row[3], row[1] == currency)):
        other = source if target == currency else target
        found[other] = rate if target == currency else ONE / rate
    return found
